use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::Device::{Desktop, Mobile, Tablet};
use super::{BOT_HEADERS, DEVICE_HEADERS, Device, is_bot};

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    fields.iter().map(field).collect()
}

/// Text as browsers and crawlers sent it, the device it is, and whether it is a program.
const USER_AGENTS: &[(&str, Device, bool)] = &[
    // Computers.
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
        Desktop,
        false,
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", Desktop, false),
    (
        "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        Desktop,
        false,
    ),
    (
        "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR 2.0.50727; Tablet PC 2.0)",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36",
        Desktop,
        false,
    ),
    // Phones.
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        Mobile,
        false,
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.108 Mobile/15E148 Safari/604.1",
        Mobile,
        false,
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21F90 [FBAN/FBIOS;FBAV/471.0.0.34.109;FBBV/616098240;FBDV/iPhone14,5]",
        Mobile,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
        Mobile,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        Mobile,
        false,
    ),
    ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", Mobile, false),
    (
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Mobile Safari/537.36",
        Mobile,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 7.0; CUBOT NOTE Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/75.0.3770.101 Mobile Safari/537.36",
        Mobile,
        false,
    ),
    (
        "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) Presto/2.5.25 Version/10.54",
        Mobile,
        false,
    ),
    (
        "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
        Mobile,
        false,
    ),
    ("Mozilla/5.0 (Mobile; Nokia_2720_Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2", Mobile, false),
    // Tablets.
    (
        "Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
        Tablet,
        false,
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.108 Mobile/15E148 Safari/604.1",
        Tablet,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Safari/537.36",
        Tablet,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 7.0; Nexus 9 Build/NRD90M) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.98 Safari/537.36",
        Tablet,
        false,
    ),
    ("Mozilla/5.0 (Android 14; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0", Tablet, false),
    (
        "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.3.1 like Chrome/120.0.6099.230 Safari/537.36",
        Tablet,
        false,
    ),
    (
        "Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Version/5.0 Safari/533.2+ Kindle/3.0+",
        Tablet,
        false,
    ),
    // Televisions and consoles.
    (
        "Mozilla/5.0 (Linux; Android 9; BRAVIA 4K GB ATV3) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6265; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/70.0.3538.110 Mobile Safari/537.36",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
        Desktop,
        false,
    ),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/9.40) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15",
        Desktop,
        false,
    ),
    // Crawlers and fetchers.
    (
        "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.126 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        Mobile,
        true,
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/126.0.6478.126 Safari/537.36",
        Desktop,
        true,
    ),
    ("Googlebot-Image/1.0", Desktop, true),
    ("Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", Desktop, true),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 9_1 like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) Version/9.0 Mobile/13B143 Safari/601.1 (compatible; AdsBot-Google-Mobile; +http://www.google.com/mobile/adsbot.html)",
        Mobile,
        true,
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
        Desktop,
        true,
    ),
    ("Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)", Desktop, true),
    ("Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)", Desktop, true),
    ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", Desktop, true),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        Desktop,
        true,
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
        Desktop,
        true,
    ),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        Desktop,
        true,
    ),
    (
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)",
        Mobile,
        true,
    ),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", Desktop, true),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Desktop, true),
    ("WhatsApp/2.23.20.0", Desktop, true),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36",
        Desktop,
        true,
    ),
    (
        "Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse",
        Mobile,
        true,
    ),
    ("curl/8.7.1", Desktop, true),
    ("Wget/1.21.4", Desktop, true),
    ("python-requests/2.32.3", Desktop, true),
    ("Go-http-client/2.0", Desktop, true),
    ("kube-probe/1.30", Desktop, true),
    ("", Desktop, true),
];

#[test]
fn real_user_agents() {
    for (text, device, bot) in USER_AGENTS {
        let headers = headers(&[("user-agent", text)]);
        assert_eq!((Device::of(&headers), is_bot(&headers)), (*device, *bot), "{text}");
    }
    assert_eq!((Device::of(&headers(&[])), is_bot(&headers(&[]))), (Desktop, true));
}

#[test]
fn client_hints_come_first() {
    let desktop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
    let phone = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36";
    let tablet = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
    let television =
        "Mozilla/5.0 (Linux; Android 9; BRAVIA 4K) AppleWebKit/537.36 Chrome/118.0.0.0 Safari/537.36";
    for (text, mobile, platform, device) in [
        (phone, "?1", "\"Android\"", Mobile),
        (desktop, "?1", "\"Android\"", Mobile),
        (tablet, "?0", "\"Android\"", Tablet),
        (television, "?0", "\"Android\"", Desktop),
        // "Desktop site", asked for on a tablet.
        (desktop, "?0", "\"Linux\"", Desktop),
        (desktop, "?0", "\"Windows\"", Desktop),
        (phone, "?0", "\"Windows\"", Desktop),
        (phone, "?0", "", Tablet),
        (desktop, "?0", "", Desktop),
        (phone, "", "\"Android\"", Mobile),
        (phone, "1", "", Mobile),
    ] {
        let headers =
            headers(&[("user-agent", text), ("sec-ch-ua-mobile", mobile), ("sec-ch-ua-platform", platform)]);
        assert_eq!(Device::of(&headers), device, "{text} {mobile} {platform}");
    }
    let brands = "\"HeadlessChrome\";v=\"126\", \"Not/A)Brand\";v=\"8\"";
    assert!(is_bot(&headers(&[("user-agent", desktop), ("sec-ch-ua", brands)])));
}

#[test]
fn long_text_is_searched_only_so_far() {
    let long = format!("Mozilla/5.0 {} Mobile Googlebot", "x".repeat(64 * 1024));
    let headers = headers(&[("user-agent", &long)]);
    assert_eq!((Device::of(&headers), is_bot(&headers)), (Desktop, false));
}

proptest! {
    /// The lists of headers are what caches key on: a header outside of them must not change an answer.
    #[test]
    fn nothing_outside_the_listed_headers_is_read(
        values in prop::collection::vec("(\\?[01]|\"Android\"|Mobi|bot|iPad|.{0,6}){0,3}", 5),
    ) {
        let names = ["user-agent", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "accept"];
        let all: Vec<_> = names.into_iter().zip(values.iter().map(String::as_str)).collect();
        prop_assume!(all.iter().all(|(_, value)| HeaderValue::from_bytes(value.as_bytes()).is_ok()));
        let only = |listed: &[&str]| -> HeaderMap {
            headers(&all.iter().filter(|(name, _)| listed.contains(name)).copied().collect::<Vec<_>>())
        };
        prop_assert_eq!(Device::of(&headers(&all)), Device::of(&only(&DEVICE_HEADERS)));
        prop_assert_eq!(is_bot(&headers(&all)), is_bot(&only(&BOT_HEADERS)));
    }
}
