//! Traces: what an exchange came to, and why, for people and for tools.
//!
//! An [exchange](crate::exchange) that is to explain itself notes what it does while it does it, and hands a [`Trace`](trace::Trace)
//! out with its report. The trace is the same wherever the exchange runs: the command line prints it, the local panel draws it, and
//! the filter sends as much of it as fits into a [header](compact) to whoever shows the secret.
//!
//! The attack that this prevents: a trace that tells whoever looks over somebody's shoulder, or finds it in a ticket, what the
//! visitor's session is. What the configuration names as [secret](crate::config::model::Secrets) is [hidden] wherever it turns up.

pub mod compact;
pub mod hidden;
mod texts;
pub mod trace;
pub mod trail;

#[cfg(test)]
mod tests {
    /// Every public member in a source, by its name.
    fn members(source: &str) -> impl Iterator<Item = &str> {
        let lines = source.lines().filter_map(|line| line.strip_prefix("    pub "));
        lines.filter_map(|line| line.split_once(": ")).map(|(name, _)| name)
    }

    #[test]
    fn the_page_on_traces_has_every_member_cause_and_cut() {
        let page = include_str!("../docs/trace.md");
        let named = |name: &str| page.contains(&format!("`{name}`"));
        let missing: Vec<&str> =
            members(include_str!("explain/trace.rs")).filter(|member| !named(member)).collect();
        assert!(missing.is_empty() && members(include_str!("explain/trace.rs")).count() > 60, "{missing:?}");
        let of = |source: &'static str, from: &str| source.split(from).nth(1).unwrap_or_default();
        let causes =
            of(include_str!("explain/trail.rs"), "let name = match self").split("};").next().unwrap();
        let causes = causes.split('"').skip(1).step_by(2).filter(|cause| !cause.contains(' '));
        let cuts = super::compact::cuts().filter(|cut| !cut.starts_with("the end of"));
        let missing: Vec<&str> = causes.chain(cuts).filter(|name| !named(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
