use super::*;
use crate::core::plan::parse;
use proptest::prelude::*;
use serde_json::json;

const FREE: Permissions = Permissions { allow_tools: true, require_approval: false, max_steps: 1_000 };

fn simulated(steps: Value, permissions: Permissions, budget: Option<f64>) -> Simulation {
    simulate(&parse(&json!({ "steps": steps })).unwrap(), permissions, budget)
}

/// The bounds of a plan that may do everything: steps, then cost.
fn bounds(steps: Value) -> [f64; 4] {
    let Simulation { steps, cost, .. } = simulated(steps, FREE, None);
    [steps.min, steps.max, cost.min, cost.max]
}

fn refused(found: &Simulation) -> Vec<(&str, &str, &str)> {
    found.refused.iter().map(|(step, why)| (&**step, why.code.name(), &*why.message)).collect()
}

/// What is refused in a plan of one agent's step that may do everything.
fn refused_with(more: Value) -> Vec<(&'static str, String)> {
    let mut step = json!({ "id": "a", "agent": "x" });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let found = simulated(json!([step]), FREE, None);
    found.refused.into_iter().map(|(_, why)| (why.code.name(), why.message.into_owned())).collect()
}

#[test]
fn without_freedom_the_least_is_the_most() {
    let steps = json!([
        { "id": "a", "agent": "x", "cost": 2 },
        { "id": "b", "agent": "x", "cost": 3, "forEach": [1, 2, 3] },
        { "id": "c", "agent": "x", "forEach": [{ "var": "a" }, { "var": "b" }], "cost": 10 },
        { "id": "d", "agent": "x", "cost": 5, "repeat": { "until": true, "max": 9 } },
        { "id": "e", "agent": "x", "cost": 7, "when": { "==": [1, 1] } },
        { "id": "f", "wait": { "ms": 5 } },
        { "id": "g", "approve": {} },
        { "id": "h", "job": { "plan": { "steps": [
            { "id": "i", "agent": "x", "cost": 100 }, { "id": "j", "agent": "x", "cost": 100 },
        ] } } },
    ]);
    assert_eq!(bounds(steps), [6.0, 6.0, 243.0, 243.0]);
    assert_eq!(bounds(json!([])), [0.0; 4]);
}

#[test]
fn what_may_be_skipped_counts_from_nothing() {
    assert_eq!(
        bounds(json!([{ "id": "a", "agent": "x", "cost": 2, "when": { "var": "b" } }])),
        [0.0, 1.0, 0.0, 2.0]
    );
    assert_eq!(bounds(json!([{ "id": "a", "agent": "x", "cost": 2, "when": 0 }])), [0.0; 4]);
}

#[test]
fn attempts_rounds_and_items_multiply_the_cost() {
    let retry = json!({ "maxAttempts": 3 });
    let repeat = json!({ "until": { "var": "b" }, "max": 4 });
    let step = |more: Value| {
        let mut step = json!({ "id": "a", "agent": "x", "cost": 2, "retry": retry });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bounds(json!([step]))
    };
    assert_eq!(step(json!({})), [1.0, 1.0, 2.0, 6.0]);
    assert_eq!(step(json!({ "repeat": repeat })), [1.0, 1.0, 2.0, 24.0]);
    assert_eq!(step(json!({ "forEach": [1, 2] })), [1.0, 1.0, 4.0, 12.0]);
    assert_eq!(step(json!({ "forEach": { "var": "list" } })), [1.0, 1.0, 0.0, 600_000.0]);
    let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1, "retry": retry }] } });
    assert_eq!(bounds(json!([{ "id": "a", "job": child, "repeat": repeat }])), [1.0, 1.0, 1.0, 12.0]);
}

#[test]
fn what_may_fail_and_go_on_counts_from_where_it_can_fail() {
    let step = |more: Value, permissions| {
        let mut step = json!({ "id": "a", "agent": "x", "cost": 2, "onError": "continue" });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let Simulation { steps, cost, .. } = simulated(json!([step]), permissions, None);
        [steps.min, steps.max, cost.min, cost.max]
    };
    assert_eq!(step(json!({}), FREE), [1.0, 1.0, 2.0, 2.0], "an attempt is made");
    assert_eq!(step(json!({ "approval": true }), FREE), [0.0, 1.0, 0.0, 2.0], "a person may say no");
    assert_eq!(step(json!({ "forEach": { "var": "b" } }), FREE), [0.0, 1.0, 0.0, 200_000.0], "no list");
    let denied = Permissions { allow_tools: false, ..FREE };
    assert_eq!(step(json!({ "tools": ["t"] }), denied), [0.0; 4], "it fails for certain");
    let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1 }] } });
    assert_eq!(
        bounds(json!([{ "id": "a", "job": child, "onError": "continue" }])),
        [1.0, 1.0, 0.0, 1.0],
        "the child may fail at once"
    );
}

#[test]
fn approvals_are_those_of_steps_that_may_come_to_run() {
    let steps = json!([
        { "id": "a", "agent": "x" },
        { "id": "b", "agent": "x", "approval": true, "when": { "var": "a" } },
        { "id": "c", "approve": {}, "when": false },
        { "id": "d", "agent": "x", "tools": ["t"] },
        { "id": "e", "wait": { "ms": 1 } },
        { "id": "f", "wait": { "ms": 1 }, "approval": true },
        { "id": "g", "job": { "plan": { "steps": [{ "id": "h", "approve": {} }, { "id": "i", "agent": "x" }] } } },
    ]);
    assert_eq!(simulated(steps.clone(), FREE, None).approvals, ["b", "f", "g:h"]);
    let careful = Permissions { require_approval: true, allow_tools: false, ..FREE };
    let found = simulated(steps, careful, None);
    assert_eq!(found.approvals, ["a", "b", "f", "g", "g:h", "g:i"]);
}

#[test]
fn a_child_may_no_more_than_its_parent() {
    let steps = json!([{ "id": "a", "job": {
        "permissions": { "allowTools": true, "requireApproval": false, "maxSteps": 1 },
        "plan": { "steps": [
            { "id": "b", "agent": "x", "tools": ["t", "u"] },
            { "id": "c", "agent": "x" },
        ] },
    } }]);
    let found = simulated(steps, Permissions { allow_tools: false, ..FREE }, None);
    let expected = [
        ("a:b", "tools_denied", "Step \"b\" needs tools (t, u), and the job does not allow tools"),
        ("a:c", "step_limit", "Step limit reached: maxSteps is 1, and as many steps come before it"),
    ];
    assert_eq!(refused(&found), expected);
    assert_eq!(found.steps, Bounds::exactly(1.0));
}

#[test]
fn the_step_limit_is_met_by_the_first_step_past_it() {
    let step = |id: &str, more: Value| {
        let mut step = json!({ "id": id, "agent": "x" });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        step
    };
    let none = json!({});
    let steps = json!([
        step("a", json!({ "when": { "var": "x" } })),
        step("b", none.clone()),
        { "id": "w", "wait": { "ms": 1 } },
        step("c", json!({ "when": { "var": "x" } })),
        step("d", none.clone()),
        step("e", none.clone()),
    ]);
    let found = simulated(steps, Permissions { max_steps: 1, ..FREE }, None);
    let met: Vec<&str> = refused(&found).into_iter().map(|(step, ..)| step).collect();
    assert_eq!(met, ["c", "d"], "whenever c runs, and then for certain");
    assert_eq!(found.steps, Bounds { min: 3.0, max: 5.0 }, "what would be enough");
}

#[test]
fn a_budget_that_cant_suffice_is_refused_where_it_ends() {
    let steps = json!([
        { "id": "a", "agent": "x", "cost": 6, "retry": { "maxAttempts": 9 } },
        { "id": "b", "agent": "x", "cost": 6, "when": { "var": "b" } },
        { "id": "c", "job": { "plan": { "steps": [{ "id": "d", "agent": "x", "cost": 5 }] } } },
        { "id": "e", "agent": "x", "cost": 6 },
    ]);
    let found = simulated(steps.clone(), FREE, Some(10.0));
    let sentence = |needed, left| format!("Budget exceeded: at least {needed} is needed, and {left} is left");
    assert_eq!(
        refused(&found),
        [("b", "budget_exceeded", &*sentence(6, 4)), ("c:d", "budget_exceeded", &*sentence(5, 4))]
    );
    assert_eq!(refused(&simulated(steps.clone(), FREE, Some(23.0))), []);
    assert_eq!(
        refused(&simulated(steps, FREE, Some(0.0))),
        [("a", "budget_exceeded", &*sentence(1, 0))],
        "no job starts on nothing"
    );
}

#[test]
fn what_is_done_for_no_item_is_not_looked_at() {
    let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 9, "when": false }] } });
    let found = simulated(json!([{ "id": "a", "forEach": [], "job": child }]), FREE, Some(1.0));
    assert_eq!((refused(&found), found.cost), (vec![], Bounds::default()));
    let child = json!({ "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 9 }] } });
    let steps = json!([
        { "id": "a", "forEach": { "var": "list" }, "job": child },
        { "id": "c", "agent": "x", "cost": 5 },
    ]);
    let found = simulated(steps, FREE, Some(4.0));
    let met: Vec<&str> = refused(&found).into_iter().map(|(step, ..)| step).collect();
    assert_eq!(met, ["a:b", "c"], "c is met where the list is empty");
}

#[test]
fn what_a_child_leaves_of_its_own_budget_is_there_for_the_next() {
    let steps = json!([
        { "id": "a", "forEach": [1, 2], "job": {
            "budget": 4, "plan": { "steps": [{ "id": "b", "agent": "x", "cost": 1 }] },
        } },
        { "id": "c", "agent": "x", "cost": 4 },
    ]);
    assert_eq!(refused(&simulated(steps.clone(), FREE, Some(6.0))), []);
    let found = simulated(steps.clone(), FREE, Some(5.0));
    assert_eq!(refused(&found)[0].0, "c");
    let found_less = simulated(steps.clone(), FREE, Some(4.0));
    let (step, _, message) = refused(&found_less)[0];
    assert_eq!((step, message), ("a", "Budget exceeded: at least 5 is needed, and 4 is left"));
    assert_eq!(found.cost, Bounds::exactly(6.0), "what is spent, not what is set aside");
    let within = json!([{ "id": "d", "forEach": [1, 2], "job": { "plan": { "steps": steps } } }]);
    assert_eq!(refused(&simulated(within.clone(), FREE, Some(12.0))), []);
    assert_eq!(refused(&simulated(within, FREE, Some(11.0)))[0].0, "d", "6 each");
    let mut poor = steps;
    poor[0]["job"]["budget"] = json!(0);
    assert_eq!(refused(&simulated(poor, FREE, Some(10.0)))[0].0, "a:b");
}

#[test]
fn what_can_never_be_done_is_refused() {
    let nan = json!({ "+": ["one", 1] });
    let problem = r#"can't be computed: `+` needs numbers, and was given "one""#;
    assert_eq!(
        refused_with(json!({ "when": [] })),
        [("invalid_plan", r#"Step "a" never runs: its "when" is always false"#.to_owned())]
    );
    assert_eq!(
        refused_with(json!({ "repeat": { "until": false, "max": 3 } })),
        [("agent_failed", r#"Step "a" is not done after 3 rounds"#.to_owned())]
    );
    for key in ["when", "input", "forEach"] {
        let message = format!("The \"{key}\" of step \"a\" {problem}");
        assert_eq!(refused_with(json!({ key: nan })), [("agent_failed", message)]);
    }
    let until = refused_with(json!({ "repeat": { "until": nan, "max": 3 } }));
    assert_eq!(until, [("agent_failed", format!("The \"until\" of step \"a\" {problem}"))]);
    let list = refused_with(json!({ "forEach": 5 }));
    assert_eq!(
        list,
        [("agent_failed", r#"The "forEach" of step "a" can't be computed: it gives no list"#.to_owned())]
    );
    assert_eq!(refused_with(json!({ "when": true, "forEach": [], "input": 0 })), []);
}

proptest! {
    #[test]
    fn bounds_are_finite_and_in_order(
        cost in 0.0..f64::MAX, attempts in 1u32.., max in 1u32.., depth in 0..4, budget: Option<f64>,
    ) {
        let mut steps = json!([
            { "id": "a", "agent": "x", "cost": cost, "retry": { "maxAttempts": attempts },
              "repeat": { "until": { "var": "b" }, "max": max } },
            { "id": "b", "agent": "x", "cost": cost },
        ]);
        for _ in 0..depth {
            steps = json!([{ "id": "c", "forEach": { "var": "list" }, "job": { "plan": { "steps": steps } } }]);
        }
        let found = simulated(steps, FREE, budget);
        for Bounds { min, max } in [found.steps, found.cost] {
            prop_assert!(0.0 <= min && min <= max && max < f64::INFINITY);
        }
    }
}
