use std::rc::Weak;

use crate::{
    core::{
        children::{ChildChange, ChildStats, Progress},
        status::JobStatus,
    },
    host::{JobKey, Values},
};

/// Wants to know when children change.
pub trait ChildListener {
    /// Somewhere below this job, one was made or its status changed.
    fn heard_of_child(&self, parent: JobKey);
}

/// The children of jobs that are monitored.
#[allow(async_fn_in_trait, reason = "everything runs on one thread")]
pub trait Children: Values {
    /// What is known of the children of one job, by one who counts them.
    type Family;

    /// Begins to count a job's children, of which nothing is known yet.
    fn family_of(&self, parent: JobKey) -> Self::Family;

    /// What has changed among the children, as far as it is known without asking anybody; each change once.
    fn child_changes(&self, family: &mut Self::Family) -> Vec<ChildChange>;

    /// Were there children heard of that have to be read?
    fn has_unread(&self, family: &Self::Family) -> bool;

    /// Reads those children from the store, or all that there are; what has changed is then among the changes.
    async fn read_children(&self, family: &mut Self::Family, all: bool) -> Result<(), Self::Error>;

    /// Is there a job below this one that has not ended, however far below?
    async fn has_open_descendants(&self, parent: JobKey) -> Result<bool, Self::Error>;

    /// A child was made, or its status changed: tells whoever wants to know, and gives its parent where somebody here
    /// counts that one's children.
    fn child_changed(&self, child: JobKey, status: JobStatus) -> Option<JobKey>;

    /// Tells the listener of what happens to children, whoever does it, for as long as there is a listener. What it is
    /// not told of, it finds out when it asks the store; being told twice does no harm.
    fn subscribe(&self, listener: Weak<dyn ChildListener>);

    /// Tells whoever wants to know how far a job's children have come.
    fn announce_progress(&self, parent: JobKey, stats: &ChildStats, progress: &Progress);

    /// A monitor could not do what it has to and will try again: because of this error, or because others commit to the
    /// job again and again.
    fn monitor_failed(&self, parent: JobKey, why: Option<&Self::Error>);
}
