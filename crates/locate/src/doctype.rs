//! What a doctype says of the document mode (WHATWG HTML § 13.2.6.4.1).

use crate::attribute::is_space;

/// Whether a page with this doctype, from `<!` to `>`, is in quirks mode.
pub(crate) fn is_quirky(source: &[u8]) -> bool {
    // From `<!` to the end of the keyword.
    let rest = source.get(9..).unwrap_or_default();
    // Without `>` the page ended in it.
    let Some(rest) = rest.strip_suffix(b">") else { return true };
    let rest = rest.trim_ascii_start();
    let name_len = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(name_len).unwrap_or_default();
    if !name.eq_ignore_ascii_case(b"html") {
        return true;
    }
    let rest = rest.trim_ascii_start();
    if rest.is_empty() {
        return false;
    }
    let keyword = rest.get(..6).map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
    let rest = rest.get(6..).unwrap_or_default();
    match keyword.as_slice() {
        b"public" => {
            let Some((public, rest)) = quoted(rest) else { return true };
            let rest = rest.trim_ascii_start();
            let system = match rest.first() {
                None => None,
                Some(_) => match quoted(rest) {
                    Some((system, _)) => Some(system),
                    None => return true,
                },
            };
            is_quirky_public(&public, system.as_deref())
        }
        b"system" => match quoted(rest) {
            Some((system, _)) => QUIRKY_SYSTEM.contains(&system.as_str()),
            None => true,
        },
        _ => true,
    }
}

fn is_quirky_public(public: &str, system: Option<&str>) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| public.starts_with(prefix));
    QUIRKY_PUBLIC.contains(&public)
        || system.is_some_and(|system| QUIRKY_SYSTEM.contains(&system))
        || starts(QUIRKY_PREFIXES)
        || (system.is_none() && starts(QUIRKY_WITHOUT_SYSTEM))
}

/// The identifier in lower case, and what follows it.
fn quoted(source: &[u8]) -> Option<(String, &[u8])> {
    let source = source.trim_ascii_start();
    let (quote, rest) = source.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    let end = rest.iter().position(|byte| byte == quote)?;
    let (text, rest) = rest.split_at_checked(end)?;
    Some((String::from_utf8_lossy(text).to_ascii_lowercase(), rest.get(1..)?))
}

const QUIRKY_SYSTEM: &[&str] = &["http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"];

const QUIRKY_PUBLIC: &[&str] =
    &["-//w3o//dtd w3 html strict 3.0//en//", "-/w3c/dtd html 4.0 transitional/en", "html"];

const QUIRKY_WITHOUT_SYSTEM: &[&str] =
    &["-//w3c//dtd html 4.01 frameset//", "-//w3c//dtd html 4.01 transitional//"];

const QUIRKY_PREFIXES: &[&str] = &[
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html 2.0 level 1//",
    "-//ietf//dtd html 2.0 level 2//",
    "-//ietf//dtd html 2.0 strict level 1//",
    "-//ietf//dtd html 2.0 strict level 2//",
    "-//ietf//dtd html 2.0 strict//",
    "-//ietf//dtd html 2.0//",
    "-//ietf//dtd html 2.1e//",
    "-//ietf//dtd html 3.0//",
    "-//ietf//dtd html 3.2 final//",
    "-//ietf//dtd html 3.2//",
    "-//ietf//dtd html 3//",
    "-//ietf//dtd html level 0//",
    "-//ietf//dtd html level 1//",
    "-//ietf//dtd html level 2//",
    "-//ietf//dtd html level 3//",
    "-//ietf//dtd html strict level 0//",
    "-//ietf//dtd html strict level 1//",
    "-//ietf//dtd html strict level 2//",
    "-//ietf//dtd html strict level 3//",
    "-//ietf//dtd html strict//",
    "-//ietf//dtd html//",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer 2.0 html strict//",
    "-//microsoft//dtd internet explorer 2.0 html//",
    "-//microsoft//dtd internet explorer 2.0 tables//",
    "-//microsoft//dtd internet explorer 3.0 html strict//",
    "-//microsoft//dtd internet explorer 3.0 html//",
    "-//microsoft//dtd internet explorer 3.0 tables//",
    "-//netscape comm. corp.//dtd html//",
    "-//netscape comm. corp.//dtd strict html//",
    "-//o'reilly and associates//dtd html 2.0//",
    "-//o'reilly and associates//dtd html extended 1.0//",
    "-//o'reilly and associates//dtd html extended relaxed 1.0//",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad software//dtd hotmetal pro 6.0::19990601::extensions to html 4.0//",
    "-//softquad//dtd hotmetal pro 4.0::19971010::extensions to html 4.0//",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava html//",
    "-//sun microsystems corp.//dtd hotjava strict html//",
    "-//w3c//dtd html 3 1995-03-24//",
    "-//w3c//dtd html 3.2 draft//",
    "-//w3c//dtd html 3.2 final//",
    "-//w3c//dtd html 3.2//",
    "-//w3c//dtd html 3.2s draft//",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental 19960712//",
    "-//w3c//dtd html experimental 970421//",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html 3.0//",
    "-//webtechs//dtd mozilla html 2.0//",
    "-//webtechs//dtd mozilla html//",
];

#[cfg(test)]
mod tests {
    use super::is_quirky;

    #[test]
    fn the_mode_is_that_of_the_standard() {
        let cases = [
            ("<!DOCTYPE html>", false),
            ("<!doctype HTML >", false),
            ("<!doctypehtml>", false),
            ("<!doctype>", true),
            ("<!doctype html", true),
            ("<!doctype svg>", true),
            ("<!doctype html SYSTEM \"about:legacy-compat\">", false),
            (
                "<!doctype html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">",
                false,
            ),
            ("<!doctype html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\">", true),
            (
                "<!doctype html PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">",
                false,
            ),
            ("<!doctype html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" \"x\">", false),
            ("<!doctype html PUBLIC '-//W3C//DTD HTML 3.2//EN'>", true),
            ("<!doctype html PUBLIC>", true),
            ("<!doctype html PUBLIC \"a>", true),
            ("<!doctype html bogus>", true),
        ];
        for (source, quirky) in cases {
            assert_eq!(is_quirky(source.as_bytes()), quirky, "{source}");
        }
    }
}
