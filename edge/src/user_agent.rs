//! What a browser says it is: `request.device`, `request.browser`, `request.bot`.
//!
//! A small table, not a census: it knows the browsers that people use, and calls a bot what calls itself one. What
//! browsers say themselves of mobile and platform (client hints) comes before what their `User-Agent` suggests.

use nearside_engine::value::Object;

/// Client hints, as they stand in the headers; empty where they were not sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hints<'h> {
    /// `Sec-CH-UA`.
    pub(crate) brands: &'h str,
    /// `Sec-CH-UA-Mobile`.
    pub(crate) mobile: &'h str,
    /// `Sec-CH-UA-Platform`.
    pub(crate) platform: &'h str,
}

/// Words in lower case that programs put into their `User-Agent`.
const BOTS: [&str; 44] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "headless",
    "lighthouse",
    "facebookexternalhit",
    "facebookcatalog",
    "meta-external",
    "mediapartners",
    "google-inspectiontool",
    "googleother",
    "google-read-aloud",
    "apis-google",
    "feedfetcher",
    "chatgpt-user",
    "perplexity",
    "claude-user",
    "ia_archiver",
    "bingpreview",
    "whatsapp/",
    "skypeuripreview",
    "embedly",
    "pingdom",
    "gtmetrix",
    "uptime",
    "statuscake",
    "site24x7",
    "newrelicpinger",
    "datadog",
    "phantomjs",
    "puppeteer",
    "playwright",
    "wget",
    "curl/",
    "libwww",
    "python-",
    "aiohttp",
    "httpx",
    "scrapy",
    "java/",
    "go-http-client",
    "okhttp",
    "node-fetch",
];

/// A token of a `User-Agent` with the browser's name; the first that is found counts, since most browsers also
/// claim to be Chrome and Safari. The version follows the token.
const BROWSERS: [(&str, &str); 29] = [
    ("Instagram ", "instagram"),
    ("FBAV/", "facebook"),
    ("EdgA/", "edge"),
    ("EdgiOS/", "edge"),
    ("Edg/", "edge"),
    ("Edge/", "edge"),
    ("OPR/", "opera"),
    ("OPT/", "opera"),
    ("OPX/", "opera"),
    ("Opera Mini/", "opera"),
    ("SamsungBrowser/", "samsung"),
    ("YaBrowser/", "yandex"),
    ("Vivaldi/", "vivaldi"),
    ("DuckDuckGo/", "duckduckgo"),
    ("Ddg/", "duckduckgo"),
    ("UCBrowser/", "uc"),
    ("MiuiBrowser/", "miui"),
    ("HuaweiBrowser/", "huawei"),
    ("Silk/", "silk"),
    ("QQBrowser/", "qq"),
    ("MicroMessenger/", "wechat"),
    ("FxiOS/", "firefox"),
    ("Firefox/", "firefox"),
    ("CriOS/", "chrome"),
    ("GSA/", "google"),
    ("Chrome/", "chrome"),
    ("Chromium/", "chrome"),
    ("MSIE ", "ie"),
    ("Trident/7.0; rv:", "ie"),
];

/// Brands of client hints whose browsers do not say so in their `User-Agent`.
const BRANDS: [(&str, &str); 3] = [
    ("\"Brave\"", "brave"),
    ("\"DuckDuckGo\"", "duckduckgo"),
    ("\"Vivaldi\"", "vivaldi"),
];

/// What `User-Agent`s of televisions and of consoles have.
const TELEVISIONS: [&str; 12] = [
    "SmartTV",
    "SMART-TV",
    "Smart TV",
    "Android TV",
    "GoogleTV",
    "AppleTV",
    "Apple TV",
    "HbbTV",
    "Web0S",
    "BRAVIA",
    "CrKey",
    "; AFT",
];
const CONSOLES: [&str; 3] = ["PlayStation", "Xbox", "Nintendo"];

/// `{"device": {"type", "os"}, "browser": {"name", "version"}, "bot"}`, without what is not known.
pub(crate) fn facts(user_agent: &str, hints: &Hints<'_>) -> Object {
    let mut facts = Object::new();
    facts.insert("bot", is_bot(user_agent));
    let os = os(user_agent, hints);
    let mut device = Object::new();
    if let Some(kind) = device_type(user_agent, hints, os) {
        device.insert("type", kind);
    }
    if let Some(os) = os {
        device.insert("os", os);
    }
    if !device.is_empty() {
        facts.insert("device", device);
    }
    if let Some((name, version)) = browser(user_agent, hints) {
        let mut browser = Object::new();
        browser.insert("name", name);
        if let Some(version) = version {
            browser.insert("version", f64::from(version));
        }
        facts.insert("browser", browser);
    }
    facts
}

/// Whether it is no person's browser: it says so, or says nothing at all.
fn is_bot(user_agent: &str) -> bool {
    // Telephones of this make are none.
    let lower = user_agent.to_ascii_lowercase().replace("cubot", "");
    lower.trim().is_empty() || BOTS.iter().any(|word| lower.contains(word))
}

fn os(user_agent: &str, hints: &Hints<'_>) -> Option<&'static str> {
    match hints.platform.trim_matches('"') {
        "Android" => return Some("android"),
        "Chrome OS" | "Chromium OS" => return Some("chromeos"),
        "iOS" => return Some("ios"),
        "Linux" => return Some("linux"),
        "macOS" => return Some("macos"),
        "Windows" => return Some("windows"),
        _ => {}
    }
    let tokens = [
        ("Windows Phone", "windows"),
        ("iPhone", "ios"),
        ("iPad", "ios"),
        ("iPod", "ios"),
        ("Tizen", "tizen"),
        ("Web0S", "webos"),
        ("Android", "android"),
        ("CrOS", "chromeos"),
        ("Windows", "windows"),
        ("Macintosh", "macos"),
        ("Linux", "linux"),
        ("X11", "linux"),
    ];
    let found = tokens.iter().find(|(token, _)| user_agent.contains(token));
    found.map(|(_, os)| *os)
}

fn device_type(user_agent: &str, hints: &Hints<'_>, os: Option<&str>) -> Option<&'static str> {
    let has = |token: &str| user_agent.contains(token);
    if TELEVISIONS.iter().any(|token| has(token)) || has("Tizen") && has("TV") {
        return Some("tv");
    }
    if CONSOLES.iter().any(|token| has(token)) {
        return Some("console");
    }
    if hints.mobile == "?1" {
        return Some("mobile");
    }
    let says_mobile = has("Mobile") || has("Windows Phone") || has("Opera Mini");
    match os {
        Some("ios") if has("iPad") => Some("tablet"),
        Some("ios") => Some("mobile"),
        _ if has("Tablet") && !has("Tablet PC") => Some("tablet"),
        // Tablets with Android leave out the word.
        Some("android") if says_mobile && hints.mobile.is_empty() => Some("mobile"),
        Some("android") => Some("tablet"),
        _ if says_mobile => Some("mobile"),
        Some(_) => Some("desktop"),
        None => None,
    }
}

fn browser(user_agent: &str, hints: &Hints<'_>) -> Option<(&'static str, Option<u16>)> {
    for (brand, name) in BRANDS {
        if let Some(version) = version_after(hints.brands, &format!("{brand};v=\"")) {
            return Some((name, version));
        }
    }
    for (token, name) in BROWSERS {
        if let Some(version) = version_after(user_agent, token) {
            return Some((name, version));
        }
    }
    let is_safari = user_agent.contains("Safari/") && !user_agent.contains("Android");
    let version = version_after(user_agent, "Version/").filter(|_| is_safari)?;
    Some(("safari", version))
}

/// The whole number behind a token, if the token is there.
fn version_after(text: &str, token: &str) -> Option<Option<u16>> {
    let (_, rest) = text.split_once(token)?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    Some(rest.get(..digits).and_then(|digits| digits.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::value::Value;

    /// `type os name version bot`, with `-` for what is not known.
    fn said(user_agent: &str, hints: &Hints<'_>) -> String {
        let facts = Value::Object(facts(user_agent, hints));
        let text = |value: &Value| match value {
            Value::Null => "-".to_owned(),
            value => value.to_text(),
        };
        let (device, browser) = (facts.get("device"), facts.get("browser"));
        [
            device.get("type"),
            device.get("os"),
            browser.get("name"),
            browser.get("version"),
            facts.get("bot"),
        ]
        .map(text)
        .join(" ")
    }

    #[test]
    fn browsers_of_people() {
        for (user_agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
                "desktop windows chrome 129 false",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Edg/128.0.2739.79",
                "desktop windows edge 128 false",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
                "desktop macos safari 17 false",
            ),
            (
                "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
                "desktop linux firefox 130 false",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
                "desktop chromeos chrome 129 false",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
                "mobile ios safari 17 false",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/129.0.6668.46 Mobile/15E148 Safari/604.1",
                "mobile ios chrome 129 false",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 14_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/130.0 Mobile/15E148 Safari/605.1.15",
                "mobile ios firefox 130 false",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
                "tablet ios safari 12 false",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36",
                "mobile android chrome 129 false",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
                "tablet android chrome 129 false",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
                "mobile android samsung 25 false",
            ),
            (
                "Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0",
                "mobile android firefox 130 false",
            ),
            (
                "Mozilla/5.0 (Android 13; Tablet; rv:109.0) Gecko/115.0 Firefox/115.0",
                "tablet android firefox 115 false",
            ),
            (
                "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.4844.73 Mobile Safari/537.36",
                "mobile android chrome 99 false",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36 OPR/113.0.0.0",
                "desktop windows opera 113 false",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "desktop windows ie 11 false",
            ),
            (
                "Mozilla/5.0 (Linux; Tizen 2.4.0) AppleWebKit/538.1 (KHTML, like Gecko) Version/2.4.0 TV Safari/538.1",
                "tv tizen safari 2 false",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager",
                "tv webos chrome 79 false",
            ),
            (
                "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
                "console - safari 13 false",
            ),
        ] {
            assert_eq!(said(user_agent, &Hints::default()), expected, "{user_agent}");
        }
    }

    #[test]
    fn bots() {
        for user_agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.6668.70 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.23.20.0",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/129.0.0.0 Safari/537.36",
            "curl/8.9.1",
            "python-requests/2.32.3",
            "",
        ] {
            assert!(
                said(user_agent, &Hints::default()).ends_with(" true"),
                "{user_agent}"
            );
        }
    }

    #[test]
    fn what_browsers_say_themselves_comes_first() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36";
        let hints = |brands, mobile, platform| Hints {
            brands,
            mobile,
            platform,
        };
        for (hints, expected) in [
            // "Desktop site", asked for on a telephone.
            (hints("", "?1", "\"Android\""), "mobile android chrome 129 false"),
            (hints("", "?0", "\"Android\""), "tablet android chrome 129 false"),
            (hints("", "?0", "\"Windows\""), "desktop windows chrome 129 false"),
            (
                hints(
                    "\"Brave\";v=\"128\", \"Not;A=Brand\";v=\"24\", \"Chromium\";v=\"128\"",
                    "?0",
                    "\"Linux\"",
                ),
                "desktop linux brave 128 false",
            ),
            (hints("x", "x", "\"?\""), "desktop linux chrome 129 false"),
        ] {
            assert_eq!(said(chrome, &hints), expected, "{hints:?}");
        }
    }

    #[test]
    fn anything_may_be_said() {
        for user_agent in [
            "é",
            "Chrome/",
            "Chrome/999999999",
            "Version/ Safari/",
            "; AFT\u{0}",
            &"a".repeat(10_000),
        ] {
            facts(user_agent, &Hints::default());
        }
        assert_eq!(said("Chrome/99999999", &Hints::default()), "- - chrome - false");
    }
}
