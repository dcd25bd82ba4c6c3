//! The operators by name.

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Var,
    Val,
    Exists,
    Missing,
    MissingSome,
    If,
    And,
    Or,
    Coalesce,
    Try,
    Throw,
    Preserve,
    Log,
    Not,
    Truthy,
    Compare(Comparison),
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Max,
    Min,
    Cat,
    Substr,
    In,
    Merge,
    Map,
    Filter,
    Reduce,
    All,
    None,
    Some,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Same,
    NotSame,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const OPERATORS: &[(&str, Op)] = &[
    ("var", Op::Var),
    ("val", Op::Val),
    ("exists", Op::Exists),
    ("missing", Op::Missing),
    ("missing_some", Op::MissingSome),
    ("if", Op::If),
    ("?:", Op::If),
    ("and", Op::And),
    ("or", Op::Or),
    ("??", Op::Coalesce),
    ("try", Op::Try),
    ("throw", Op::Throw),
    ("preserve", Op::Preserve),
    ("log", Op::Log),
    ("!", Op::Not),
    ("!!", Op::Truthy),
    ("==", Op::Compare(Comparison::Equal)),
    ("!=", Op::Compare(Comparison::NotEqual)),
    ("===", Op::Compare(Comparison::Same)),
    ("!==", Op::Compare(Comparison::NotSame)),
    ("<", Op::Compare(Comparison::Less)),
    ("<=", Op::Compare(Comparison::LessOrEqual)),
    (">", Op::Compare(Comparison::Greater)),
    (">=", Op::Compare(Comparison::GreaterOrEqual)),
    ("+", Op::Add),
    ("-", Op::Subtract),
    ("*", Op::Multiply),
    ("/", Op::Divide),
    ("%", Op::Remainder),
    ("max", Op::Max),
    ("min", Op::Min),
    ("cat", Op::Cat),
    ("substr", Op::Substr),
    ("in", Op::In),
    ("merge", Op::Merge),
    ("map", Op::Map),
    ("filter", Op::Filter),
    ("reduce", Op::Reduce),
    ("all", Op::All),
    ("none", Op::None),
    ("some", Op::Some),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, _)| *name)
}

pub(super) fn find(name: &str) -> Option<(&'static str, Op)> {
    OPERATORS.iter().find(|(known, _)| *known == name).copied()
}

impl Op {
    /// Whether the argument at `index` is evaluated in a scope of its own.
    pub(super) fn scoped(self, index: usize) -> bool {
        match self {
            Op::Map | Op::Filter | Op::Reduce | Op::All | Op::None | Op::Some => index == 1,
            Op::Try => index > 0,
            _ => false,
        }
    }
}
