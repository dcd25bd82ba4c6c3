//! Whether a running job goes on, from what is known of it without its history.

/// What is known of a running job. Times are epoch milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// When something was committed last, or slow play was over that came after it.
    pub last: f64,
    /// An agent is at work.
    pub working: bool,
    /// When the first of its timers and retries is due.
    pub due: Option<f64>,
    /// It waits for a signal, a person or another job.
    pub waits: bool,
}

/// Has nothing happened for so long to a running job that should have? One that waits properly is not stalled; one
/// whose agent says nothing is, and one that nobody runs.
pub fn is_stalled(standing: Standing, now: f64, stalled_ms: f64) -> bool {
    let Standing { last, working, due, waits } = standing;
    let since = match due {
        Some(due) if !working => last.max(due),
        None if waits && !working => return false,
        _ => last,
    };
    now - since >= stalled_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_should_have_gone_on_is_stalled() {
        let idle = Standing { last: 100.0, working: false, due: None, waits: false };
        let at = |standing, now| is_stalled(standing, now, 50.0);
        for working in [false, true] {
            assert!(!at(Standing { working, ..idle }, 149.0) && at(Standing { working, ..idle }, 150.0));
        }
        let timer = Standing { due: Some(500.0), ..idle };
        assert!(!at(timer, 549.0) && at(timer, 550.0), "its time has come, and nobody looks");
        assert!(!at(Standing { due: Some(0.0), ..idle }, 149.0));
        let waits = Standing { waits: true, ..idle };
        assert!(!at(waits, 1e15));
        assert!(at(Standing { due: Some(500.0), ..waits }, 550.0));
        for standing in [waits, timer] {
            assert!(
                at(Standing { working: true, ..standing }, 150.0),
                "an agent is at work beside what waits"
            );
        }
    }
}
