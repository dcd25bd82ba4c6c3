use crate::{
    core::{
        event::Decision,
        job::{Approval, Job, PauseReason},
        outcome::{Code, Refusal, listed},
    },
    host::{Host, JobKey},
    orchestrator::{Orchestrator, Outcome, Stop},
};

/// A person's answer, and which question it answers: the one with this id, the one of this step, or
/// the only one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The approval's id.
    pub approval: Option<String>,
    /// The step's id.
    pub step: Option<String>,
    /// Who answers.
    pub by: Option<String>,
    /// What they add: a note, or the reason of a rejection.
    pub note: Option<String>,
}

impl Answer {
    fn decision(&self, approval: &Approval) -> Decision {
        Decision {
            approval: approval.id.clone(),
            by: self.by.as_deref().map(Box::from),
            note: self.note.as_deref().map(Box::from),
        }
    }

    /// The approval that is meant.
    fn find<V>(&self, job: &Job<V>) -> Result<Approval, Refusal> {
        if job.head.status.has_ended() {
            return Err(Code::InvalidTransition.into());
        }
        let waiting = job.run.as_ref().map_or(&[][..], |run| &run.approvals);
        let step_id = |approval: &Approval| job.run.as_ref().map(|run| &*run.step(approval.step).id);
        let known_step = |id: &str| job.run.as_ref().is_some_and(|run| run.index_of(id).is_some());
        if let Some(id) = self.step.as_deref().filter(|id| !known_step(id)) {
            return Err(Refusal::new(Code::UnknownStep, format!("Unknown step \"{id}\"")));
        }
        let is_meant = |approval: &&Approval| {
            self.approval.as_deref().is_none_or(|id| id == &*approval.id)
                && self.step.as_deref().is_none_or(|id| Some(id) == step_id(approval))
        };
        let meant: Vec<&Approval> = waiting.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [approval] => Ok(Approval::clone(approval)),
            [] => Err(self.nothing_waits()),
            several => {
                let ids = listed(&mut several.iter().map(|approval| &*approval.id));
                let message = format!("Several approvals are waiting; name one: {ids}");
                Err(Refusal::new(Code::InvalidTransition, message))
            }
        }
    }

    fn nothing_waits(&self) -> Refusal {
        let message = match (&self.approval, &self.step) {
            (Some(id), _) => format!("No approval \"{id}\" is waiting"),
            (None, Some(id)) => format!("Step \"{id}\" is not waiting for approval"),
            (None, None) => "No step is waiting for approval".to_owned(),
        };
        Refusal::new(Code::InvalidTransition, message)
    }
}

impl<H: Host> Orchestrator<H> {
    /// A person says yes. A job that was paused for it becomes running, and while all are paused,
    /// one of those; running on is the caller's.
    ///
    /// # Errors
    /// `not_found`; `unknown_step`; `invalid_transition` where nothing waits, several wait, or the job has ended.
    pub async fn approve_step(&self, key: JobKey, answer: Answer) -> Outcome<H> {
        let all_paused = self.host.all_paused(key).await.map_err(Stop::Failed)?;
        self.change_job(key, &mut |job| {
            let approval = answer.find(job)?;
            job.approve(&approval, answer.decision(&approval), job.now);
            if all_paused {
                job.stop_for(PauseReason::Global, None, None);
            }
            Ok(())
        })
        .await?;
        self.pause_with_all(key).await;
        Ok(())
    }

    /// A person says no: the step ends as failed, code `rejected`, and the job with it.
    ///
    /// # Errors
    /// As [`Orchestrator::approve_step`].
    pub async fn reject_step(&self, key: JobKey, answer: Answer) -> Outcome<H> {
        self.end_job(key, &mut |job| {
            let approval = answer.find(job)?;
            job.reject(&approval, answer.decision(&approval), job.now);
            Ok(())
        })
        .await
    }
}
