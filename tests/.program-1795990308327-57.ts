import { serve } from "@rerelay/server";
import { fanOut, filterSink, rrdFileSink } from "@rerelay/server/sinks";

const server = await serve({ port: 26844 });
const file = await rrdFileSink({ path: "/tmp/programs-sVZnCp/0.15.1-mixed-rerun_example_capture.rrd" });
const receiver = fanOut([filterSink((msg) => msg.applicationId === "rerun_example_capture", file)]);
setTimeout(() => server.close({ drainMs: 1000 }), 500);
await receiver.receive(server.batches());
await receiver.close();
console.log(file.saved[0]?.messages, "messages");
