//! Random cases.

use serde_json::{Value, json};

use crate::{
    case::{Ask, Attempt, Case, Crash, End, Move, Permissions, Play, Turn, Which, Who},
    random::Random,
};

/// Ids in an order of their own: what is stored by id must not come back in another.
const IDS: [&str; 7] = ["m", "c", "x", "10", "9", "a", "b.c"];
const SIGNALS: [&str; 3] = ["go", "stop", "maybe"];
const TOOLS: [&str; 2] = ["search", "pay"];
/// How many plans may stand one within the other.
const DEPTH: usize = 2;

pub fn any_case(random: &Random) -> Case {
    let plan = any_plan(random, DEPTH);
    let mut script = Vec::new();
    any_script(random, &plan, &mut script);
    Case {
        context: any_context(random),
        permissions: any_permissions(random),
        budget: random.percent(30).then(|| random.below(12) as f64),
        estimate: random.percent(30).then(|| random.below(3) as f64),
        script,
        turns: (0..random.below(40)).map(|_| any_turn(random)).collect(),
        plan,
    }
}

fn any_context(random: &Random) -> Value {
    json!({ "m": random.below(2), "start": { "score": random.below(3) }, "list": any_list(random) })
}

fn any_list(random: &Random) -> Value {
    (0..random.below(4)).map(|_| any_output(random)).collect()
}

fn any_permissions(random: &Random) -> Permissions {
    Permissions {
        tools: random.percent(80),
        approval: random.percent(20),
        max_steps: random.pick(&[0, 1, 2, 3, 9, 9, 9, 9]),
    }
}

fn any_plan(random: &Random, depth: usize) -> Value {
    let count = random.below(if depth == DEPTH { IDS.len() } else { 4 });
    let first = random.below(IDS.len());
    let ids: Vec<&str> = (0..count).map(|place| IDS[(first + place) % IDS.len()]).collect();
    // An order in which they can run, which is not always the one in which they stand.
    let mut order: Vec<usize> = (0..count).collect();
    if random.percent(40) {
        (1..count).for_each(|place| order.swap(place, random.below(place + 1)));
    }
    let is_row = random.percent(25);
    let mut steps: Vec<Value> = ids.iter().map(|id| any_step(random, id, depth)).collect();
    for (nth, &place) in order.iter().enumerate() {
        if !is_row {
            let chance = random.pick(&[20, 50, 80]);
            steps[place]["after"] =
                order[..nth].iter().filter(|_| random.percent(chance)).map(|&before| ids[before]).collect();
        }
    }
    let mut plan = json!({ "steps": steps });
    if random.percent(85) {
        plan["concurrency"] = (1 + random.below(3)).into();
    }
    // In which turn a job ends that has to cancel children of its own first, the reference does not know.
    if depth < DEPTH && has_children(&plan) {
        plan["concurrency"] = 1.into();
    }
    write_intos(random, &mut plan);
    plan
}

fn has_children(plan: &Value) -> bool {
    plan["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step.get("job").is_some()))
}

/// Some steps write to keys of others, where the plan allows it.
fn write_intos(random: &Random, plan: &mut Value) {
    let count = plan["steps"].as_array().map_or(0, Vec::len);
    for place in 0..count {
        if random.percent(10) {
            let before = plan.clone();
            plan["steps"][place]["into"] = random.pick(&["m", "start", "other"]).into();
            if jobwright::core::plan::parse(plan).is_err() {
                *plan = before;
            }
        }
    }
}

fn any_rule(random: &Random) -> Value {
    let name = || {
        let key = random.pick(&IDS).replace('.', "\\.");
        if random.percent(50) { key } else { format!("{key}.score") }
    };
    let score = || format!("{}.score", random.pick(&["m", "c", "x", "start"]));
    match random.below(8) {
        0 => json!({ "var": name() }),
        1 => json!({ "!": [{ "var": name() }] }),
        2 => json!({ "===": [{ "var": name() }, random.below(3)] }),
        3 => json!({ ">": [{ "var": score() }, random.below(3)] }),
        4 => json!({ "+": ["x"] }),
        5 => json!(false),
        6 => json!({ "!": [{ "var": "start.nothing" }] }),
        _ => json!(true),
    }
}

fn any_step(random: &Random, id: &str, depth: usize) -> Value {
    let mut step = match random.below(14) {
        4 | 5 if depth > 0 => any_job_step(random, id, depth),
        0 => json!({ "id": id, "approve": {} }),
        1 => json!({ "id": id, "wait": { "ms": random.pick(&[0, 3, 5, 50]) } }),
        2 => {
            json!({ "id": id, "wait": { "signal": random.pick(&SIGNALS), "timeoutMs": random.pick(&[5, 20]) } })
        }
        3 => json!({ "id": id, "wait": { "signal": [random.pick(&SIGNALS), "stop"] } }),
        _ => any_agent_step(random, id),
    };
    let mut sometimes = |chance: usize, key: &str, value: Value| {
        if random.percent(chance) {
            step[key] = value;
        }
    };
    sometimes(15, "when", any_rule(random));
    sometimes(25, "onError", "continue".into());
    sometimes(10, "approval", true.into());
    sometimes(10, "breakpoint", true.into());
    step
}

/// A list to do a step for, of which a few are none.
fn any_for_each(random: &Random) -> Value {
    match random.below(10) {
        0 => any_rule(random),
        1 => json!({ "var": random.pick(&IDS).replace('.', "\\.") }),
        2..5 => (0..random.below(4)).map(|_| random.pick(&[json!(1), json!("text"), json!(null)])).collect(),
        _ => json!({ "var": "list" }),
    }
}

fn any_job_step(random: &Random, id: &str, depth: usize) -> Value {
    let mut job = json!({ "plan": any_plan(random, depth - 1) });
    if random.percent(50) {
        job["context"] = match random.below(8) {
            0 => any_rule(random),
            _ => json!({ "the list": any_for_each(random), "the item": { "var": "item" } }),
        };
    }
    if random.percent(40) {
        let Permissions { tools, approval, max_steps } = any_permissions(random);
        job["permissions"] = random.pick(&[
            json!({ "allowTools": tools }),
            json!({ "requireApproval": approval }),
            json!({ "maxSteps": max_steps }),
            json!({ "allowTools": true, "requireApproval": false, "maxSteps": 20 }),
        ]);
    }
    let mut step = json!({ "id": id, "job": job });
    match random.below(10) {
        0 | 1 => step["forEach"] = any_for_each(random),
        2 => step["repeat"] = json!({ "until": any_rule(random), "max": 1 + random.below(2) }),
        _ => {}
    }
    if random.percent(15) {
        // Never at the same moment as another step's: cancelling a child takes turns, which nobody counts.
        step["timeoutMs"] = random.pick(&[4.5, 12.5]).into();
    }
    step
}

fn any_agent_step(random: &Random, id: &str) -> Value {
    let mut step = json!({ "id": id, "agent": if random.percent(3) { "nobody" } else { "worker" } });
    let mut sometimes = |chance: usize, key: &str, value: Value| {
        if random.percent(chance) {
            step[key] = value;
        }
    };
    let mut retry = json!({ "maxAttempts": 1 + random.below(3), "backoffMs": random.pick(&[0, 1, 5]) });
    if random.percent(50) {
        retry["factor"] = random.pick(&[1, 3]).into();
    }
    if random.percent(20) {
        retry["jitter"] = random.pick(&[json!(0.5), json!(1)]);
    }
    if random.percent(30) {
        retry["maxBackoffMs"] = random.pick(&[0, 4]).into();
    }
    let own = json!({ ">": [{ "var": format!("{}.score", id.replace('.', "\\.")) }, random.below(3)] });
    let until = if random.percent(70) { own } else { any_rule(random) };
    sometimes(35, "retry", retry);
    match random.below(10) {
        0 | 1 => sometimes(100, "repeat", json!({ "until": until, "max": 1 + random.below(3) })),
        2 | 3 => sometimes(100, "forEach", any_for_each(random)),
        _ => {}
    }
    sometimes(20, "timeoutMs", random.pick(&[4, 8]).into());
    sometimes(30, "cost", random.below(5).into());
    sometimes(20, "tools", json!(TOOLS));
    let input = match random.below(3) {
        0 => any_rule(random),
        _ => json!({ "the one": any_rule(random), "the other": any_rule(random) }),
    };
    sometimes(25, "input", input);
    step
}

/// How each attempt goes that there can be, of the plan and of those within it.
fn any_script(random: &Random, plan: &Value, script: &mut Vec<(Attempt, Play)>) {
    let goes_well = random.pick(&[30, 60, 90]);
    let at_once = random.pick(&[0, 20, 100]);
    for step in plan["steps"].as_array().into_iter().flatten() {
        if step.get("job").is_some() {
            any_script(random, &step["job"]["plan"], script);
        }
        if step["agent"] != "worker" {
            continue;
        }
        let items: Vec<Option<usize>> = match step.get("forEach") {
            Some(_) => (0..3).map(Some).collect(),
            None => vec![None],
        };
        let rounds = step["repeat"]["max"].as_u64().unwrap_or(1);
        let most = step["retry"]["maxAttempts"].as_u64().unwrap_or(1);
        let id = step["id"].as_str().unwrap_or_default();
        for (item, round) in items.into_iter().flat_map(|item| (1..=rounds).map(move |round| (item, round))) {
            for number in 1..=most {
                let attempt = Attempt { step: id.to_owned(), item, round, number };
                script.push((attempt, any_play(random, goes_well, at_once)));
            }
        }
    }
}

fn any_play(random: &Random, goes_well: usize, at_once: usize) -> Play {
    let asks = TOOLS.into_iter().filter(|_| random.percent(6)).map(str::to_owned).collect();
    let cost = random.percent(30).then(|| random.below(6) as f64);
    let end = if random.percent(goes_well) {
        End::Gives { output: any_output(random), cost }
    } else {
        End::Fails {
            code: random.pick(&["agent_failed", "invalid_output"]),
            retryable: random.percent(80),
            retry_after: random.percent(20).then(|| random.below(9) as f64),
            cost,
        }
    };
    Play { asks, at_once: random.percent(at_once), end }
}

fn any_output(random: &Random) -> Value {
    match random.below(6) {
        0 => json!(random.below(3)),
        1 => json!(random.pick(&["", "text"])),
        2 => json!([]),
        3 => json!(null),
        _ => json!({ "score": random.below(4) }),
    }
}

fn any_turn(random: &Random) -> Turn {
    let crash = random.percent(4).then(|| Crash { call: random.below(8), done: random.percent(50) });
    Turn { what: any_move(random), crash }
}

fn any_move(random: &Random) -> Move {
    match random.below(100) {
        0..25 => Move::Finish((0..1 + random.below(3)).map(|_| random.below(3)).collect()),
        25..35 => Move::Tick,
        35..38 => Move::Pass(random.below(6) as f64),
        38 => Move::Fund(random.percent(70).then(|| random.below(12) as f64)),
        39 => Move::Crash,
        _ => {
            let who = if random.percent(75) { Who::Root } else { Who::Child(random.below(4)) };
            Move::Ask(who, any_ask(random))
        }
    }
}

fn any_ask(random: &Random) -> Ask {
    let input = random.percent(30).then(|| json!({ "given": random.below(3) }));
    match random.below(100) {
        0..16 => Ask::Start,
        16..40 => Ask::Run(input),
        40..55 => Ask::Next(input),
        55..60 => Ask::Pause,
        60..72 => Ask::Approve(any_which(random), random.pick(&[None, Some("Ada")])),
        72..76 => Ask::Reject(any_which(random)),
        76..81 => Ask::Permit(any_permissions(random)),
        81..84 => {
            let mut ids = vec![random.pick(&IDS).to_owned()];
            ids.truncate(random.below(3));
            Ask::Breakpoints(ids)
        }
        84..93 => Ask::Signal(random.pick(&SIGNALS).to_owned(), json!(random.below(9))),
        93 => Ask::StopRun,
        94 => Ask::Cancel,
        95 => Ask::Complete,
        96 => random.pick(&[Ask::Fail, Ask::CompleteAsFailed]),
        _ => Ask::Recover,
    }
}

fn any_which(random: &Random) -> Which {
    match random.below(3) {
        0 => Which::Only,
        1 => Which::Step(random.pick(&IDS).to_owned()),
        _ => Which::Listed(random.below(3)),
    }
}
