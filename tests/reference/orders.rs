//! In whatever order agents finish: where nothing fails or is refused, the same is decided.

use serde_json::{Value, json};

use crate::{
    campaign::runs_by_default,
    case::{Case, End, Move, Permissions, Turn},
    compare::Agreed,
    generate::any_case,
    lockstep::{Lockstep, WORLDS, World},
    random::Random,
};

/// A random case in which nothing fails or is refused, and no step reads what another may be writing.
fn calm_case(random: &Random) -> Case {
    let mut case = any_case(random);
    let has_children = calm(random, &mut case.plan, true);
    case.context = json!({ "fixed": random.below(2), "list": [1, 2, 3] });
    case.permissions = Permissions { tools: true, approval: false, max_steps: 99 };
    (case.budget, case.turns) = (None, Vec::new());
    for (_, play) in &mut case.script {
        if has_children {
            play.asks.clear();
        }
        if let End::Fails { .. } = play.end {
            play.end = End::Gives { output: json!({ "score": random.below(4) }), cost: None };
        }
    }
    case
}

/// Takes out of a plan what fails, what pauses a job with children, and what reads what may be being written.
/// Gives whether it has children.
fn calm(random: &Random, plan: &mut Value, is_root: bool) -> bool {
    let steps = plan["steps"].as_array_mut().expect("steps");
    let mut has_children = false;
    for step in steps.iter_mut() {
        let id = step["id"].as_str().expect("an id").to_owned();
        let members = step.as_object_mut().expect("a step");
        for key in ["timeoutMs", "retry", "breakpoint", "into", "input"] {
            members.remove(key);
        }
        let rule = random.pick(&[json!(true), json!({ "var": "fixed" })]);
        for (key, calm) in [("when", rule), ("forEach", json!({ "var": "list" })), ("agent", json!("worker"))]
        {
            if let Some(value) = members.get_mut(key) {
                *value = calm;
            }
        }
        if members.contains_key("repeat") {
            // It reads what it gave itself; what it comes to after the last round is the same in any order.
            let until = json!({ "var": format!("{}.score", id.replace('.', "\\.")) });
            step["repeat"]["until"] = until;
            step["onError"] = "continue".into();
        }
        if step["wait"].get("signal").is_some() {
            step["wait"] = json!({ "signal": id });
        }
        if step.get("job").is_some() {
            has_children = true;
            step["job"] = json!({ "plan": step["job"]["plan"], "context": { "the list": [1, 2] } });
            calm(random, &mut step["job"]["plan"], false);
        }
        if !is_root {
            if step.get("approve").is_some() || step.get("wait").is_some() {
                step["wait"] = json!({ "ms": 1 });
            }
            // What the list and the rest come from, a child does not have.
            for key in ["approval", "approve", "when", "forEach"] {
                step.as_object_mut().expect("a step").remove(key);
            }
        }
    }
    has_children
}

/// Runs a case to its end, where chance says who finishes next. Gives what was decided, in no order.
fn decided(case: &Case, world: World, order: &Random) -> Agreed<Vec<String>> {
    let mut both = Lockstep::new(case, world)?;
    let mut turns = 0;
    while let Some(kind) = both.reference.kind_move() {
        turns += 1;
        if turns > 1_000 {
            return Err("it comes to no end".to_owned());
        }
        let at_work = both.reference.at_work().len();
        let what = match kind {
            Move::Finish(_) if order.percent(10) => Move::Tick,
            Move::Finish(_) => Move::Finish(vec![order.below(at_work)]),
            other => other,
        };
        both.happen(&Turn { what, crash: None })?;
    }
    Ok(both.decided())
}

fn differs(case: &Case, seed: u64) -> Agreed {
    let order = Random::new(seed);
    let world = order.pick(&WORLDS);
    let first = decided(case, world, &order)?;
    for _ in 0..2 {
        let other = decided(case, world, &order)?;
        if first != other {
            let only = |these: &[String], those: &[String]| {
                these.iter().filter(|it| !those.contains(it)).cloned().collect::<Vec<_>>().join("\n  ")
            };
            return Err(format!(
                "in one order, and not in another:\n  {}\nand the other way round:\n  {}",
                only(&first, &other),
                only(&other, &first)
            ));
        }
    }
    Ok(())
}

#[test]
fn the_same_is_decided_in_whatever_order_agents_finish() {
    for seed in 0..runs_by_default(1_000) {
        let case = calm_case(&Random::new(seed));
        if let Err(problem) = differs(&case, seed) {
            panic!("the case of seed {seed}: {problem}\n{case}");
        }
    }
}
