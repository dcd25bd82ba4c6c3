//! What a plan says of the order of its steps: which come after which, that none waits for itself, and
//! that no two that may run side by side write to the same place.

use super::{Step, problem::Report};
use crate::core::step::StepIndex;

/// Notes what is wrong with the order of steps whose `after` is known.
pub(super) fn check_order(steps: &[Step], report: &mut Report) {
    match in_order(steps) {
        Ok(order) => check_places(steps, &order, report),
        Err(cycle) => {
            let path = listed_as_path(steps, &cycle);
            report.at("steps", |report| report.say(format!("these steps wait for each other: {path}")));
        }
    }
}

/// The steps so that each stands behind all it comes after, or some that wait for each other.
fn in_order(steps: &[Step]) -> Result<Vec<StepIndex>, Vec<StepIndex>> {
    // Most plans are written so.
    if steps.iter().enumerate().all(|(index, step)| step.after.iter().all(|&before| before < index)) {
        return Ok((0..steps.len()).collect());
    }
    let mut blocked_by: Vec<usize> = steps.iter().map(|step| step.after.len()).collect();
    let mut dependents = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        step.after.iter().for_each(|&before| dependents[before].push(index));
    }
    let mut order: Vec<StepIndex> = (0..steps.len()).filter(|&step| blocked_by[step] == 0).collect();
    let mut done = 0;
    while let Some(&step) = order.get(done) {
        done += 1;
        for &dependent in &dependents[step] {
            blocked_by[dependent] -= 1;
            if blocked_by[dependent] == 0 {
                order.push(dependent);
            }
        }
    }
    match (0..steps.len()).find(|&step| blocked_by[step] > 0) {
        None => Ok(order),
        Some(stuck) => Err(cycle_from(steps, stuck, &blocked_by)),
    }
}

/// Goes back from a step that never becomes free, along steps that don't either, until one comes twice.
fn cycle_from(steps: &[Step], stuck: StepIndex, blocked_by: &[usize]) -> Vec<StepIndex> {
    let mut met_at: Vec<Option<usize>> = vec![None; steps.len()];
    let mut path = Vec::new();
    let mut at = Some(stuck);
    while let Some(step) = at {
        if let Some(first) = met_at[step] {
            path.drain(..first);
            break;
        }
        met_at[step] = Some(path.len());
        path.push(step);
        at = steps[step].after.iter().copied().find(|&before| blocked_by[before] > 0);
    }
    path.reverse();
    path
}

fn listed_as_path(steps: &[Step], cycle: &[StepIndex]) -> String {
    let quoted = |step: StepIndex| format!("\"{}\"", steps[step].id);
    let mut path = String::new();
    for &step in cycle {
        path += &quoted(step);
        path += " → ";
    }
    path + &cycle.first().map_or(String::new(), |&first| quoted(first))
}

/// Of the steps that write to one place, each must come after the one before it in `order`.
fn check_places(steps: &[Step], order: &[StepIndex], report: &mut Report) {
    // No two steps have one id.
    if steps.iter().all(|step| step.into == step.id) {
        return;
    }
    let mut writers: Vec<(&str, usize)> =
        order.iter().enumerate().map(|(place, &step)| (&*steps[step].into, place)).collect();
    writers.sort_unstable();
    let mut place_of = vec![0; steps.len()];
    order.iter().enumerate().for_each(|(place, &step)| place_of[step] = place);
    let mut seen_for = vec![usize::MAX; steps.len()];
    for pair in writers.windows(2) {
        let [(into, earlier), (other, later)] = *pair else { continue };
        if into != other || comes_after(steps, order[later], earlier, &place_of, &mut seen_for) {
            continue;
        }
        let (first, second) = (order[earlier].min(order[later]), order[earlier].max(order[later]));
        report.at_item("steps", second, |report| {
            report.say(format!(
                "writes to \"{into}\" as steps[{first}] does, and the two may run side by side; \
                 give one an \"into\" of its own, or order them with \"after\""
            ));
        });
    }
}

/// Does `later` come after the step at `earlier` in the order? Looks at no step that stands before that one.
fn comes_after(
    steps: &[Step],
    later: StepIndex,
    earlier: usize,
    place_of: &[usize],
    seen_for: &mut [usize],
) -> bool {
    let mut open = vec![later];
    while let Some(step) = open.pop() {
        for &before in &steps[step].after {
            if place_of[before] == earlier {
                return true;
            }
            if place_of[before] > earlier && std::mem::replace(&mut seen_for[before], later) != later {
                open.push(before);
            }
        }
    }
    false
}
