//! A site is checked page by page: a parent job, followed while its five children run. `cargo run --example native`

use std::{
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use jobwright::{
    JobOrchestrator,
    core::{permissions::PermissionPatch, plan},
    create_orchestrator,
    host::{
        Clock, JobKey,
        memory::{MemoryHost, Reply},
    },
    orchestrator::{Cancellation, NewJob, ParentJob, Stop},
};
use serde_json::{Value, json};

type Outcome = Result<(), Stop<Value, String>>;
type Task = Pin<Box<dyn Future<Output = Outcome>>>;
type Orchestrator = Rc<dyn JobOrchestrator<Host = MemoryHost>>;

/// Each takes one second more than the one before it.
const PAGES: [&str; 5] = ["index", "prices", "about", "jobs", "contact"];

fn main() -> Outcome {
    print!("{}", check_site()?);
    Ok(())
}

/// Checks the site, and tells how that went.
pub fn check_site() -> Result<String, Stop<Value, String>> {
    let host = MemoryHost::default();
    host.set_agent("checker", |call| Reply::done(format!("{} is fine", call.input["page"])));
    let orchestrator: Orchestrator = Rc::new(create_orchestrator(host.clone()));
    let site = host.enter("site");
    run_all(&host, vec![create(host.clone(), Rc::clone(&orchestrator), site)])?;

    let mut tasks = vec![follow(host.clone(), Rc::clone(&orchestrator), site)];
    for (page, seconds) in PAGES.into_iter().zip(1..) {
        let key = host.enter(page);
        tasks.push(check(host.clone(), Rc::clone(&orchestrator), key, f64::from(seconds)));
    }
    run_all(&host, tasks)?;

    let mut lines: Vec<String> = host.progress().iter().map(|it| it.stats.progress_text()).collect();
    let status = host.job(site).unwrap_or_default()["status"].clone();
    lines.push(format!("site: {}\n", status.as_str().unwrap_or("gone")));
    Ok(lines.join("\n"))
}

/// The parent, and a child for each page.
fn create(host: MemoryHost, orchestrator: Orchestrator, site: JobKey) -> Task {
    Box::pin(async move {
        let permissions = PermissionPatch { require_approval: Some(false), ..Default::default() };
        let mut origin = host.origin(site, json!({}), None);
        origin["type"] = "parent".into();
        origin["config"] = json!({ "source_type": "site" });
        let parent = NewJob { origin: Some(origin), permissions, ..Default::default() };
        orchestrator.create_job(site, parent).await?;

        let steps = json!({ "steps": [{ "id": "check", "agent": "checker", "input": { "page": { "var": "page" } } }] });
        let plan = plan::parse(&steps).map_err(|problems| Stop::Failed(format!("{problems:?}")))?;
        let plan = Rc::new(plan);
        for page in PAGES {
            let key = host.enter(page);
            let child = NewJob {
                origin: Some(host.origin(key, json!({ "page": page }), Some(&steps))),
                permissions,
                plan: Some(Rc::clone(&plan)),
                parent: Some(site),
                ..Default::default()
            };
            orchestrator.create_job(key, child).await?;
        }
        Ok(())
    })
}

/// Ends with the parent, which ends with its children.
fn follow(host: MemoryHost, orchestrator: Orchestrator, site: JobKey) -> Task {
    Box::pin(async move {
        let job = ParentJob::of(site, &host.job(site).unwrap_or_default());
        orchestrator.start_monitoring(job, Cancellation::default()).await
    })
}

/// Runs a child that takes its time.
fn check(host: MemoryHost, orchestrator: Orchestrator, page: JobKey, seconds: f64) -> Task {
    Box::pin(async move {
        orchestrator.start_job(page).await?;
        host.sleep(seconds * 1_000.0).await;
        orchestrator.run_job(page, None).await
    })
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls the tasks in turn until all have ended. Where nobody was woken, the time passes until somebody is.
fn run_all(host: &MemoryHost, mut tasks: Vec<Task>) -> Outcome {
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut failed = Ok(());
    while !tasks.is_empty() {
        tasks.retain_mut(|task| match task.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(stopped) => {
                failed = stopped;
                false
            }
        });
        if !woken.0.swap(false, Ordering::Relaxed) {
            // The clock of this host stands still until it is moved.
            host.advance(host.next_timer().unwrap_or_default());
        }
    }
    failed
}
