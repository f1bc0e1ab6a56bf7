use super::*;

/// Attributes without closed sets, and `closed`, whose values are all constants.
pub(super) struct Names(pub(super) &'static [&'static str]);

impl Known for Names {
    fn names(&self) -> Vec<&str> {
        self.0.to_vec()
    }

    fn constants(&self, name: &str) -> Option<Vec<&str>> {
        match name {
            "closed" => Some(vec!["<b>gold</b>", "<i>none</i>"]),
            "open_tag" => Some(vec!["<p", "x"]),
            "open_svg" => Some(vec!["<svg>"]),
            _ => None,
        }
    }
}

pub(super) const NAMES: Names =
    Names(&["closed", "country", "first-name", "lang", "open_svg", "open_tag", "request.path", "x", "y"]);

fn render(source: &str, country: Option<&str>) -> String {
    let template = Template::parse(source, &NAMES).unwrap();
    let lookup = |name: &str| (name == "country").then(|| country.map(str::to_owned)).flatten();
    template.render(lookup, |text, out| out.push_str(text), |text, out| out.push_str(&text.to_uppercase()))
}

#[test]
fn values_and_defaults() {
    assert_eq!(render("Deals for {{ country }}!", Some("us")), "Deals for US!");
    assert_eq!(render("{{country|default('you')}}", None), "YOU");
    assert_eq!(render("{{ country | default(\"a}}b\") }}", Some("")), "A}}B");
    assert_eq!(render("{{ country }}", None), "");
    assert_eq!(render("{{ '{{' }} and } }} {", None), "{{ and } }} {");
    assert_eq!(render("{{ country | default('a|b') | lower }}", None), "A|B");
    assert_eq!(render("{{ first-name | default('') }}-", None), "-");
    assert_eq!(Template::parse("{{ 'x' }}y", &NAMES).unwrap().constant(), Some("xy"));
    assert_eq!(Template::parse("{{ 'x' | upper }}y", &NAMES).unwrap().constant(), Some("Xy"));
    let read =
        Template::parse("{{ x | number(lang) }} {{ 'a' }} {{ '1' | number(country) }}", &NAMES).unwrap();
    assert_eq!(read.attributes().collect::<Vec<_>>(), ["x", "lang", "country"]);
}

#[test]
fn what_is_wrong_is_said_with_the_fix() {
    let cases = [
        ("a {{ country", 3, "not closed"),
        ("{{ }}", 1, "nothing stands between"),
        ("é{{ x }}{{ contry }}", 9, "did you mean \"country\"?"),
        ("{{ country | uper }}", 1, "\"uper\" is not a filter; did you mean \"upper\"?"),
        ("{{ country | defualt('x') }}", 1, "did you mean \"default\"?"),
        ("{{ country | default(x) }}", 1, "one text in quotes"),
        ("{{ country | default }}", 1, "one text in quotes"),
        ("{{ country | default('x }}", 1, "not closed"),
        ("{{ country | default('x' }}", 1, "has no `)`"),
        ("{{ country | upper('x') }}", 1, "`upper` takes nothing in parentheses"),
        ("{{ country | truncate(0) }}", 1, "whole number from 1"),
        ("{{ country | truncate(1.5) }}", 1, "whole number from 1"),
        ("{{ country | number('dee') }}", 1, "did you mean \"de\"?"),
        ("{{ country | number(langg) }}", 1, "did you mean \"lang\"?"),
        ("{{ country | number }}", 1, "`number` takes a locale"),
        ("{{ country | currency('eur', 'de') }}", 1, "three capitals"),
        ("{{ country | date('QQ', 'de') }}", 1, "\"QQ\" in \"QQ\" means nothing"),
        ("{{ country | date('lang', 'de') }}", 1, "means nothing"),
        ("{{ country | date('--', 'de') }}", 1, "no way to write a date"),
        ("{{ country | url_query(x) }}", 1, "name of a parameter"),
        ("{{ country | raw }}", 1, "\"country\" can be anything that somebody sends"),
        ("{{ 'x' | raw }}", 1, "a text needs no `raw`"),
        ("{{ closed | raw | upper }}", 1, "`raw` stands last"),
        ("{{ closed | upper | raw }}", 1, "no filter but `default` before it"),
        ("{{ x |upper|upper|upper|upper|upper|upper|upper|upper|upper }}", 1, "9 filters on one value"),
        ("{{ x | }}", 1, "\"\" is not a filter"),
    ];
    for (source, column, message) in cases {
        let error = Template::parse(source, &NAMES).unwrap_err();
        assert_eq!(error.column, column, "{source}");
        assert!(error.message.contains(message), "{source}: {error}");
        assert!(error.to_string().ends_with(&format!("(character {column} of the text)")), "{error}");
    }
}
