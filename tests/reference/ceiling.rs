//! No job may do more than its parent, in the reference.

use crate::{case::Permissions, interpreter::Reference, state::Decision};

impl Reference {
    /// What is given to a job is no more than its parent has; what is taken from it is taken from its descendants.
    pub fn permit(&mut self, at: usize, wanted: Permissions) -> Result<(), &'static str> {
        let job = &self.jobs[at];
        if job.has_ended() {
            return Err("invalid_transition");
        }
        let before = job.state.permissions;
        let after = job.parent.map_or(wanted, |parent| wanted.meet(self.jobs[parent].state.permissions));
        self.jobs[at].decide(Decision::PermissionsChanged(after));
        self.commit(at);
        if after == before || after.meet(before) != before {
            self.narrow_children(at, after);
        }
        Ok(())
    }

    /// A job that may do more than its parent does not start like that.
    pub fn narrow_to_parent(&mut self, at: usize) {
        let Some(parent) = self.jobs[at].parent else { return };
        let own = self.jobs[at].state.permissions;
        let both = own.meet(self.jobs[parent].state.permissions);
        if both != own {
            self.jobs[at].decide(Decision::PermissionsChanged(both));
        }
    }

    fn narrow_children(&mut self, parent: usize, most: Permissions) {
        for child in self.children_of(parent) {
            let own = self.jobs[child].state.permissions;
            let left = if self.jobs[child].has_ended() { most } else { own.meet(most) };
            if !self.jobs[child].has_ended() && left != own {
                self.jobs[child].decide(Decision::PermissionsChanged(left));
                self.commit(child);
            }
            self.narrow_children(child, left);
        }
    }
}
