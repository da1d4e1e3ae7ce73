//! Measures exchanges between two ranks, for the model in `docs/distributed.md`:
//!
//! ```text
//! cargo build --release --example exchange
//! mpirun -n 2 target/release/examples/exchange
//! ```

use std::error::Error;
use std::time::{Duration, Instant};
use unrolled::distributed::{DistributedError, Incoming, Outgoing, Transport};
use unrolled_mpi::World;

/// The lengths of short and long messages.
const SHORT: usize = 64;
const LONG: usize = 1 << 20;

/// The short messages of one exchange, of which all but the first cost what one more message does.
const MANY: usize = 257;

fn main() -> Result<(), Box<dyn Error>> {
    let world = World::init()?;
    if world.size() != 2 {
        return Err(format!("expected 2 ranks, found {}", world.size()).into());
    }
    let first = median_exchange(&world, 1, SHORT, 2000)?;
    let many = median_exchange(&world, MANY, SHORT, 200)?;
    let long = median_exchange(&world, 1, LONG, 200)?;
    if world.rank() == 0 {
        let microseconds = |time: Duration| 1e6 * time.as_secs_f64();
        println!(
            "exchange: {:.2} us; one more message: {:.3} us; {:.2} GB/s in each direction",
            microseconds(first),
            microseconds(many - first) / (MANY - 1) as f64,
            1e-9 * LONG as f64 / long.as_secs_f64()
        );
    }
    Ok(())
}

/// The median time of `times` exchanges of `count` messages of `len` bytes in each direction.
fn median_exchange(
    world: &World,
    count: usize,
    len: usize,
    times: usize,
) -> Result<Duration, DistributedError> {
    let other = 1 - world.rank();
    let sent = vec![1; len];
    let mut received = vec![0; count * len];
    let sends = vec![Outgoing { to: other, bytes: &sent }; count];
    let mut durations = Vec::with_capacity(times);
    for _ in 0..times {
        let chunks = received.chunks_exact_mut(len);
        let mut receives: Vec<_> = chunks.map(|bytes| Incoming { from: other, bytes }).collect();
        let begin = Instant::now();
        world.exchange(&sends, &mut receives)?;
        durations.push(begin.elapsed());
    }
    durations.sort_unstable();
    Ok(durations[times / 2])
}
