"""same_rows.py FILE OTHER: whether Rerun's chunk store has the same rows and latest values of both, as one JSON line."""

import json
import os
import sys
import tempfile

import rerun as rr

TIMES_OF_SDK = ("log_time", "log_tick")


def sorted_columns(table):
    return table.select(sorted(name for name in table.column_names if name not in TIMES_OF_SDK))


def of_dataframe(path):
    """By SDKs that read files themselves."""
    recording = rr.dataframe.load_recording(path)
    for latest in (False, True):
        view = recording.view(index="frame", contents="/**")
        yield sorted_columns((view.fill_latest_at() if latest else view).select().read_all())


def of_server(path):
    """By newer ones, which ask a server."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(path))) as folder:
        os.link(path, os.path.join(folder, "file.rrd"))
        with rr.server.Server(datasets={"files": folder}) as server:
            everything = server.client().get_dataset("files").filter_contents(["/**"])
            for latest in (False, True):
                rows = everything.reader(index="frame", fill_latest_at=latest).to_arrow_table()
                yield sorted_columns(rows).sort_by("frame")


tables_of = of_server if hasattr(rr, "server") else of_dataframe
files = [list(tables_of(path)) for path in sys.argv[1:3]]
rows = [table.num_rows for table in files[0]]
print(json.dumps({"rows": rows[0], "same": [a.equals(b) for a, b in zip(*files)]}))
