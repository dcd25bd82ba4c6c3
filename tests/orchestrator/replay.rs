//! Every history is decided again, and comes to the same.

use jobwright::core::replay::{Difference, Replay};
use serde_json::Value;

/// Decides a stored job's history again; gives how many decisions there were.
pub fn replay(job: &Value) -> Result<u64, Difference> {
    let mut replay = Replay::new(job["id"].as_str().unwrap_or_default(), false);
    for event in job["history"].as_array().into_iter().flatten() {
        replay.meet(event)?;
    }
    replay.end(Some(job))?;
    Ok(replay.decisions())
}

/// Asserts that what a stored job's history says was decided would be decided again.
pub fn check(job: &Value) {
    if let Err(Difference { at, expected, actual }) = replay(job) {
        let before = job["history"].as_array().into_iter().flatten().take(at as usize).map(|event| {
            format!(
                "{} {} {} {}\n",
                event["seq"], event["type"], event["payload"], event["meta"]["timestamp"]
            )
        });
        panic!("{}event {at}: expected {expected:#}, found {actual:#}", before.collect::<String>());
    }
}
