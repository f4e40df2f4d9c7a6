//! `Cache-Control`, as RFC 9111 (section 5.2) writes it.

/// The longest time that a directive can name, in seconds: RFC 9111, section 1.2.2, asks for no less.
const LONGEST: i64 = 1 << 31;

/// The directives of a `Cache-Control` header that a shared cache heeds; times are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub(super) no_store: bool,
    pub(super) no_cache: bool,
    pub(super) is_private: bool,
    pub(super) is_public: bool,
    pub(super) must_revalidate: bool,
    pub(super) only_if_cached: bool,
    pub(super) max_age: Option<i64>,
    pub(super) s_maxage: Option<i64>,
    pub(super) min_fresh: Option<i64>,
    pub(super) stale_while_revalidate: Option<i64>,
    pub(super) stale_if_error: Option<i64>,
}

impl Directives {
    /// Reads the header's value, with all its lines joined by commas. What is unknown is passed over.
    pub(super) fn parse(value: &str) -> Self {
        let mut directives = Self::default();
        for (name, argument) in Parts(value) {
            let flag = match name.to_ascii_lowercase().as_str() {
                "no-store" => &mut directives.no_store,
                // With names of headers they forbid less; to forbid more is always right.
                "no-cache" => &mut directives.no_cache,
                "private" => &mut directives.is_private,
                "public" => &mut directives.is_public,
                "must-revalidate" | "proxy-revalidate" => &mut directives.must_revalidate,
                "only-if-cached" => &mut directives.only_if_cached,
                name => {
                    let time = match name {
                        "max-age" => &mut directives.max_age,
                        "s-maxage" => &mut directives.s_maxage,
                        "min-fresh" => &mut directives.min_fresh,
                        "stale-while-revalidate" => &mut directives.stale_while_revalidate,
                        "stale-if-error" => &mut directives.stale_if_error,
                        _ => continue,
                    };
                    // The first counts. A time that cannot be read is no time at all: what has it is stale.
                    time.get_or_insert(argument.map_or(0, seconds));
                    continue;
                }
            };
            *flag = true;
        }
        directives
    }
}

/// A number of seconds; a larger one than can be meant is the largest, and what is no number is zero.
pub(super) fn seconds(text: &str) -> i64 {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    text.parse::<i64>()
        .map_or(LONGEST, |seconds| seconds.min(LONGEST))
}

/// The parts of a list: names, and their arguments, if they have one.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.0.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                return None;
            }
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            let Some(value) = rest.strip_prefix('=') else {
                self.0 = rest;
                return Some((name.trim_end(), None));
            };
            let quoted = value.strip_prefix('"');
            let (argument, rest) = match quoted {
                Some(quoted) => {
                    let end = end_of_quoted(quoted);
                    let (argument, rest) = quoted.split_at(end);
                    // What is between the quote and the next comma belongs to nothing.
                    let next = rest.find(',').unwrap_or(rest.len());
                    (argument, rest.split_at(next).1)
                }
                None => value.split_at(value.find(',').unwrap_or(value.len())),
            };
            self.0 = rest;
            if !name.is_empty() {
                return Some((name.trim(), Some(argument.trim())));
            }
        }
    }
}

/// Where a quoted text ends, which may have quotes after backslashes.
fn end_of_quoted(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, character) in text.char_indices() {
        match character {
            '"' if !is_escaped => return place,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_as_servers_write_them() {
        let read = Directives::parse(
            "Public, MAX-AGE=60 ,s-maxage=\"120\",, stale-while-revalidate=30, x=\"a, no-store\"",
        );
        let expected = Directives {
            is_public: true,
            max_age: Some(60),
            s_maxage: Some(120),
            stale_while_revalidate: Some(30),
            ..Directives::default()
        };
        assert_eq!(read, expected);
        assert!(Directives::parse("private=\"set-cookie, x\", max-age=5").is_private);
        assert_eq!(
            Directives::parse("private=\"a\\\"b, no-store\", max-age=5").max_age,
            Some(5)
        );
        assert!(!Directives::parse("private=\"a\\\"b, no-store\"").no_store);
        assert!(Directives::parse("no-cache=\"x").no_cache);
    }

    #[test]
    fn a_time_that_is_no_time_is_over() {
        for value in [
            "max-age=soon",
            "max-age",
            "max-age=-5",
            "max-age=1.5",
            "max-age=\"\"",
        ] {
            assert_eq!(Directives::parse(value).max_age, Some(0), "{value}");
        }
        assert_eq!(
            Directives::parse("max-age=99999999999999999999").max_age,
            Some(LONGEST)
        );
    }

    #[test]
    fn of_two_times_the_first_counts() {
        assert_eq!(Directives::parse("max-age=5, max-age=500").max_age, Some(5));
    }
}
