//! What long help ends with: examples of each command, in one table. Each is a command line that the command understands.

use clap::Command;

use crate::failure::EXIT_CODES;

/// What whoever sees the command for the first time does first.
pub(crate) const FIRST_STEPS: &str = "\
First steps:
  engraft init                writes a configuration to start from
  engraft check engraft.yaml  says what is wrong with it
  engraft render -c engraft.yaml -u / -b page.html -v
                              prints a page as it leaves, and what was done to it
  engraft serve -c engraft.yaml --site .
                              serves the pages of this folder through it
  engraft COMMAND --help      tells more, with examples
";

/// By command.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "init",
        &[
            "engraft init",
            "engraft init sites/shop.yaml --schema engraft.schema.json",
            "engraft init - > engraft.yaml",
        ],
    ),
    ("check", &["engraft check engraft.yaml", "engraft check --format json engraft.yaml"]),
    (
        "render",
        &[
            "engraft render --config engraft.yaml --url / --body page.html",
            "engraft render -c engraft.yaml -u / -b page.html -H 'x-geo-country: US' -v",
            "engraft render -c engraft.yaml -u https://shop.example/p/ -b page.html --json",
            "curl -s https://shop.example/ | engraft render -c engraft.yaml -u / -b -",
        ],
    ),
    (
        "explain",
        &[
            "engraft explain -c engraft.yaml -u / -b page.html -H 'x-geo-country: US'",
            "engraft explain -c engraft.yaml -u / -b page.html --force headline:new --attribute country=DE",
            "engraft explain -c engraft.yaml -u / -b page.html --json > trace.json",
            "engraft explain --from-header 'x-engraft-trace: 1.…'",
        ],
    ),
    (
        "replay",
        &[
            "engraft replay trace.json -c engraft.yaml -b page.html",
            "curl -sI -H 'x-engraft-debug: …' https://shop.example/ | engraft replay - -c engraft.yaml",
        ],
    ),
    (
        "decide",
        &[
            "engraft decide -c engraft.yaml -a '{\"id\": \"u-1\", \"country\": \"US\"}'",
            "engraft decide -p payload.json -a '{\"id\": \"u-1\"}' -u https://shop.example/",
            "engraft decide -p payload.json --batch < requests.jsonl",
        ],
    ),
    (
        "serve",
        &[
            "engraft serve -c engraft.yaml --site . --open",
            "engraft serve -c engraft.yaml --origin https://shop.example -H 'x-geo-country: US'",
        ],
    ),
    (
        "test",
        &[
            "engraft test",
            "engraft test examples/shop --coverage",
            "engraft test shop.test.yaml --watch",
            "engraft test --format junit > report.xml",
            "engraft test --update --filter 'the front page'",
        ],
    ),
    (
        "har",
        &[
            "engraft har recorded.har -c engraft.yaml",
            "engraft har recorded.har -c engraft.yaml --report report.html",
            "engraft har recorded.har -c engraft.yaml --format json",
        ],
    ),
    ("schema", &["engraft schema > engraft.schema.json"]),
    (
        "completions",
        &[
            "source <(engraft completions bash)",
            "engraft completions bash > ~/.local/share/bash-completion/completions/engraft",
            "engraft completions zsh > \"${fpath[1]}/_engraft\"",
            "engraft completions fish > ~/.config/fish/completions/engraft.fish",
            "engraft completions powershell >> $PROFILE",
            "engraft completions elvish >> ~/.config/elvish/rc.elv",
        ],
    ),
    ("man", &["engraft man | man -l -", "engraft man ~/.local/share/man/man1 && man engraft-render"]),
];

/// The command line with the examples in the long help of its commands.
pub(crate) fn added_to(command: Command) -> Command {
    command.mut_subcommands(|it| {
        let Some((_, lines)) = EXAMPLES.iter().find(|(name, _)| *name == it.get_name()) else { return it };
        let examples: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        it.after_long_help(format!("Examples:\n{examples}\n{EXIT_CODES}"))
    })
}

#[cfg(test)]
mod tests {
    use crate::args;

    /// The words of the first `engraft …` in a line for a shell that has quotes, and redirections with spaces before them.
    fn words(line: &str) -> Vec<String> {
        let (_, line) = line.split_at(line.find("engraft ").unwrap_or_default());
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (c, quote, words.last_mut()) {
                (')' | '|' | '>' | '<' | '&', None, _) => break,
                (' ', None, _) => words.push(String::new()),
                ('\'' | '"', None, _) => quote = Some(c),
                (c, Some(q), _) if c == q => quote = None,
                (c, _, Some(word)) => word.push(c),
                (_, _, None) => {}
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn each_command_has_examples_that_it_understands() {
        for command in args::command().get_subcommands() {
            let name = command.get_name();
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.strip_prefix("Examples:\n").and_then(|rest| rest.split_once("\n\n"));
            let (examples, _) = examples.unwrap_or_else(|| panic!("{name} has no examples"));
            for line in examples.lines() {
                let matches = args::command().try_get_matches_from(words(line));
                let matches = matches.unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(matches.subcommand_name(), Some(name), "{line}");
            }
        }
    }
}
