use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use super::{JsHost, calls::call};
use crate::{
    core::step::Hold,
    host::{BudgetAnswer, BudgetManager, JobKey},
};

/// What the imports below answer.
const GRANTED: i32 = 0;
const REFUSED: i32 = 1;

#[wasm_bindgen(raw_module = "./budget-manager.js")]
extern "C" {
    fn budget_may_start(job: u32, call: u32) -> i32;
    fn budget_hold(job: u32, step: u32, round: u32, estimate: f64, call: u32) -> i32;
    fn budget_spent(job: u32, step: u32, round: u32, actual: f64, call: u32) -> i32;
    fn budget_free(job: u32, step: u32, round: u32, call: u32) -> i32;
    fn budget_settle_owed(job: u32, call: u32) -> i32;
    fn budget_reserves(job: u32) -> bool;
    fn budget_reclaim(job: u32, call: u32) -> i32;
    /// The refusal or the error of the latest answer about this job.
    fn budget_answer(job: u32) -> JsValue;
}

fn read(job: JobKey, answer: i32) -> Result<BudgetAnswer<JsValue>, JsValue> {
    match answer {
        GRANTED => Ok(BudgetAnswer::Granted),
        REFUSED => Ok(BudgetAnswer::Refused(budget_answer(job.0))),
        _ => Err(budget_answer(job.0)),
    }
}

impl JsHost {
    /// Asks the budget manager. Where there is none, all is granted.
    async fn ask_budget(&self, ask: impl FnOnce(u32) -> i32) -> i32 {
        if self.has_budget { call(ask).await } else { GRANTED }
    }
}

impl BudgetManager for JsHost {
    async fn may_start(&self, job: JobKey) -> Result<BudgetAnswer<JsValue>, JsValue> {
        read(job, self.ask_budget(|number| budget_may_start(job.0, number)).await)
    }

    async fn hold(
        &self,
        job: JobKey,
        Hold { step, round }: Hold,
        estimate: f64,
    ) -> Result<BudgetAnswer<JsValue>, JsValue> {
        let answer = self.ask_budget(|call| budget_hold(job.0, step as u32, round, estimate, call)).await;
        read(job, answer)
    }

    async fn spent(&self, job: JobKey, Hold { step, round }: Hold, actual: f64) -> bool {
        self.ask_budget(|call| budget_spent(job.0, step as u32, round, actual, call)).await == GRANTED
    }

    async fn free(&self, job: JobKey, Hold { step, round }: Hold) -> bool {
        self.ask_budget(|call| budget_free(job.0, step as u32, round, call)).await == GRANTED
    }

    async fn settle_owed(&self, job: JobKey) -> bool {
        self.ask_budget(|call| budget_settle_owed(job.0, call)).await == GRANTED
    }

    fn reserves(&self, job: JobKey) -> bool {
        self.has_budget && budget_reserves(job.0)
    }

    async fn reclaim(&self, job: JobKey) -> bool {
        self.ask_budget(|call| budget_reclaim(job.0, call)).await == GRANTED
    }
}
