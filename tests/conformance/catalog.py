"""catalog.py URL DATASET FIRST END: the rows of /plots/line with FIRST <= frame < END, by recording, as JSON."""
import json
import sys

import rerun as rr
from datafusion import col

URL, DATASET, FIRST, END = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
dataset = rr.catalog.CatalogClient(URL).get_dataset(DATASET)
found = {}
for recording in dataset.segment_ids():
    view = dataset.filter_segments([recording]).filter_contents(["/plots/**"])
    rows = view.reader(index="frame").filter((col("frame") >= FIRST) & (col("frame") < END)).to_arrow_table()
    values = rows["/plots/line:Scalars:scalars"].to_pylist()
    found[recording] = sorted((f, v[0]) for f, v in zip(rows["frame"].to_pylist(), values) if v)
print(json.dumps(found))
