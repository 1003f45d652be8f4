//! Rerun's own TCP server of 0.22.1, beside which the benchmark runs: takes messages and counts them.
//!
//! When half a second nothing came it prints how many there were, and when the last one did (seconds
//! since 1970).
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() -> anyhow::Result<()> {
    re_log::setup_logging();
    let port: u16 = std::env::args().nth(1).unwrap_or("9876".into()).parse()?;
    let options = re_sdk_comms::ServerOptions { max_latency_sec: f32::INFINITY, quiet: false };
    let receiver = re_sdk_comms::serve("127.0.0.1", port, options)?;
    let mut count: u64 = 0;
    let mut last = SystemTime::now();
    loop {
        match receiver.recv_timeout(Duration::from_millis(500)) {
            Ok(message) => {
                if message.data().is_some() {
                    count += 1;
                    last = SystemTime::now();
                }
            }
            Err(_) if count > 0 => {
                println!("msgs {} at {:.6}", count, last.duration_since(UNIX_EPOCH)?.as_secs_f64());
                count = 0;
            }
            Err(_) => {}
        }
    }
}
