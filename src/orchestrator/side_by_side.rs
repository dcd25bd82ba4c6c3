//! The same for many jobs.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use crate::host::JobKey;

/// How many jobs are worked on at a time: what they ask a store for goes there in one message, or over several
/// connections.
const AT_ONCE: usize = 32;

type Call<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Makes a call for each of these jobs, the next when there is room, and gives the answers in the same order.
pub(super) async fn side_by_side<T, F: Future<Output = T>>(
    jobs: Vec<JobKey>,
    call: impl Fn(JobKey) -> F,
) -> impl Iterator<Item = (JobKey, T)> {
    let answers: RefCell<Vec<Option<T>>> = RefCell::new(jobs.iter().map(|_| None).collect());
    let (answered, call) = (&answers, &call);
    make_all(&mut jobs.iter().enumerate().map(|(place, &job)| -> Call<'_> {
        Box::pin(async move {
            let answer = call(job).await;
            answered.borrow_mut()[place] = Some(answer);
        })
    }))
    .await;
    jobs.into_iter().zip(answers.into_inner()).filter_map(|(job, answer)| Some((job, answer?)))
}

/// Not generic: one copy of this code serves every kind of call.
async fn make_all<'a>(calls: &mut dyn Iterator<Item = Call<'a>>) {
    let mut under_way: Vec<Call<'a>> = Vec::new();
    poll_fn(|context| {
        under_way.retain_mut(|call| call.as_mut().poll(context).is_pending());
        while under_way.len() < AT_ONCE
            && let Some(mut call) = calls.next()
        {
            if call.as_mut().poll(context).is_pending() {
                under_way.push(call);
            }
        }
        if under_way.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
