//! What a job may do, and how that flows down to its children.

/// The permissions of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// May agents of this job call tools at all?
    pub allow_tools: bool,
    /// Must a person approve each step before it runs?
    pub require_approval: bool,
    /// How many steps the job may run in its life.
    pub max_steps: u64,
}

impl Default for Permissions {
    /// The careful ones: no tools, approval for each step, ten steps.
    fn default() -> Self {
        Permissions { allow_tools: false, require_approval: true, max_steps: 10 }
    }
}

/// Some permissions; what is `None` keeps what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionPatch {
    /// See [`Permissions::allow_tools`].
    pub allow_tools: Option<bool>,
    /// See [`Permissions::require_approval`].
    pub require_approval: Option<bool>,
    /// See [`Permissions::max_steps`].
    pub max_steps: Option<u64>,
}

impl PermissionPatch {
    /// These permissions laid over `base`.
    pub fn over(self, base: Permissions) -> Permissions {
        Permissions {
            allow_tools: self.allow_tools.unwrap_or(base.allow_tools),
            require_approval: self.require_approval.unwrap_or(base.require_approval),
            max_steps: self.max_steps.unwrap_or(base.max_steps),
        }
    }
}

impl Permissions {
    /// The most that both allow: what a child may do under its parent.
    ///
    /// ```
    /// use jobwright::core::permissions::Permissions;
    /// let parent = Permissions { allow_tools: true, require_approval: false, max_steps: 5 };
    /// let child = Permissions { allow_tools: true, require_approval: true, max_steps: 9 };
    /// assert_eq!(child.meet(parent), Permissions { allow_tools: true, require_approval: true, max_steps: 5 });
    /// ```
    pub fn meet(self, other: Permissions) -> Permissions {
        Permissions {
            allow_tools: self.allow_tools && other.allow_tools,
            require_approval: self.require_approval || other.require_approval,
            max_steps: self.max_steps.min(other.max_steps),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_permissions() -> impl Strategy<Value = Permissions> {
        (any::<bool>(), any::<bool>(), any::<u64>()).prop_map(|(allow_tools, require_approval, max_steps)| {
            Permissions { allow_tools, require_approval, max_steps }
        })
    }

    /// Does `a` allow nothing that `b` forbids?
    fn within(a: Permissions, b: Permissions) -> bool {
        (!a.allow_tools || b.allow_tools)
            && (a.require_approval || !b.require_approval)
            && a.max_steps <= b.max_steps
    }

    proptest! {
        #[test]
        fn a_meet_is_within_both(a in any_permissions(), b in any_permissions()) {
            prop_assert!(within(a.meet(b), a) && within(a.meet(b), b));
            prop_assert_eq!(a.meet(b), b.meet(a));
            prop_assert_eq!(a.meet(a), a);
        }
    }

    #[test]
    fn what_is_not_given_takes_its_default() {
        let patch = PermissionPatch { allow_tools: Some(true), ..Default::default() };
        let given = patch.over(Permissions::default());
        assert_eq!(given, Permissions { allow_tools: true, require_approval: true, max_steps: 10 });
    }
}
