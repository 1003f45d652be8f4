//! Rerun's own TCP server of 0.22.1, beside which the benchmark runs: takes messages and counts them.
//!
//!     rustpeer PORT          serves: decodes everything, and counts messages
//!     rustpeer PORT drain    only reads, into the same memory again and again, and counts bytes
//!     rustpeer FILE decode   decodes the packets of a stream in memory, again and again for each line of
//!                            input, and prints as JSON how many messages there were and how long it took
//!
//! When half a second nothing came it prints how many there were, and when the last one did (seconds
//! since 1970).
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What stands before the packets of a stream.
const HANDSHAKE_BYTES: usize = 7;
/// More makes it no faster.
const DRAIN_BYTES: usize = 1 << 20;

fn main() -> anyhow::Result<()> {
    re_log::setup_logging();
    let mut args = std::env::args().skip(1);
    let from = args.next().unwrap_or("9876".into());
    match args.next().as_deref() {
        None => serve(from.parse()?),
        Some("drain") => drain(from.parse()?),
        Some("decode") => decode(&std::fs::read(from)?),
        Some(other) => anyhow::bail!("there is no {other}: drain or decode"),
    }
}

fn serve(port: u16) -> anyhow::Result<()> {
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
                tell(count, last)?;
                count = 0;
            }
            Err(_) => {}
        }
    }
}

fn drain(port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("Hosting a SDK server that only reads");
    let mut memory = vec![0; DRAIN_BYTES];
    for stream in listener.incoming() {
        let mut stream = stream?;
        let mut count: u64 = 0;
        loop {
            match stream.read(&mut memory)? {
                0 => break,
                bytes => count += bytes as u64,
            }
        }
        tell(count, SystemTime::now())?;
    }
    Ok(())
}

fn tell(count: u64, last: SystemTime) -> anyhow::Result<()> {
    println!("msgs {count} at {:.6}", last.duration_since(UNIX_EPOCH)?.as_secs_f64());
    Ok(())
}

fn decode(stream: &[u8]) -> anyhow::Result<()> {
    for line in std::io::stdin().lines() {
        line?;
        let began = Instant::now();
        let mut count: u64 = 0;
        let mut at = HANDSHAKE_BYTES;
        while at < stream.len() {
            let start = at + 4;
            at = start + u32::from_le_bytes(stream[at..start].try_into()?) as usize;
            let policy = re_log_encoding::VersionPolicy::Warn;
            count += re_log_encoding::decoder::decode_bytes(policy, &stream[start..at])?.len() as u64;
        }
        println!("{{\"count\":{count},\"sec\":{:.6}}}", began.elapsed().as_secs_f64());
    }
    Ok(())
}
