//! What holds of every stored job at every moment.

use std::collections::BTreeMap;

use jobwright::core::stored::read_run;
use serde_json::Value;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Checks a stored job against its own history.
pub fn check(job: &Value) {
    let history = job["history"].as_array().map_or(&[][..], Vec::as_slice);
    let mut ends = BTreeMap::new();
    let mut begun = BTreeMap::new();
    let mut ended_job = None;
    for (seq, event) in (1u64..).zip(history) {
        assert_eq!(event["seq"].as_u64(), Some(seq), "numbers without a gap: {job:#}");
        if let Some(parent) = event["trace"]["parentId"].as_str() {
            let cause = u64::from_str_radix(&parent[8..], 16).expect("a span id");
            assert!((1..seq).contains(&cause), "event {seq} caused by {cause}: {job:#}");
        }
        let (name, payload) = (text(event, "type"), &event["payload"]);
        let step = text(payload, "step").to_owned();
        assert!(ended_job.is_none() || name == "late_result_dropped", "{name} after {ended_job:?}: {job:#}");
        match name {
            "step_started" => {
                assert!(!ends.contains_key(&step), "{step} began after its end: {job:#}");
                // A wait does not count as a step.
                if payload["status"] == "running" {
                    *begun.entry(step).or_insert(0u64) += 1;
                }
            }
            "step_completed" | "step_failed" | "step_skipped" if payload.get("retryAt").is_none() => {
                assert_eq!(ends.insert(step.clone(), name), None, "{step} ended twice: {job:#}");
            }
            "job_completed" | "job_failed" => ended_job = Some(name.to_owned()),
            _ => {}
        }
    }
    check_steps(job, &begun, &ends, ended_job.is_some());
    let status = text(job, "status");
    assert_eq!(matches!(status, "completed" | "failed"), ended_job.is_some(), "{job:#}");
    assert_eq!(job["run"]["seq"].as_u64(), Some(history.len() as u64), "{job:#}");
    assert_eq!(job["run"]["stepsTaken"].as_u64().unwrap_or(0), begun.len() as u64, "{job:#}");
    read_run(job["run"].as_object().expect("a run"), None).expect("a run state that is read again");
}

/// What stands of each step against what was said of it.
fn check_steps(job: &Value, begun: &BTreeMap<String, u64>, ends: &BTreeMap<String, &str>, job_ended: bool) {
    for (id, state) in job["run"]["steps"].as_object().into_iter().flatten() {
        let expected = match ends.get(id) {
            Some(&"step_completed") => Some("done"),
            Some(&"step_skipped") => Some("skipped"),
            Some(_) => Some("failed"),
            None => None,
        };
        let status = text(state, "status");
        let stands = matches!(status, "done" | "failed" | "skipped").then_some(status);
        assert_eq!(stands, expected, "step {id}: {job:#}");
    }
    if job_ended {
        let open = begun.keys().find(|step| !ends.contains_key(*step));
        assert_eq!(open, None, "a step that began and never ended: {job:#}");
        let approvals = job["run"]["approvals"].as_array().map_or(0, Vec::len);
        assert_eq!(approvals, 0, "a question nobody can answer: {job:#}");
    }
}
