//! The demo shop's pages, made from the files of an npm package.
//!
//! The home page stays the template's. What changes is what a test cannot have: pictures and scripts
//! from other sites become the shop's own, and links that lead nowhere lead to product pages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::catalogue::{PRODUCTS, Product, picture};

/// One address of the shop and what it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) content_type: &'static str,
    pub(super) content: Vec<u8>,
}

/// All of the shop, by path.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) not_found: Page,
}

const CARD: &str = "<div class=\"col mb-5\">";
const TEMPLATE_PICTURE: &str = "https://dummyimage.com/450x300/dee2e6/6c757d.jpg";
const HEADER: &str = "<!-- Header-->";
const FOOTER: &str = "<!-- Footer-->";

/// Addresses of other sites in the template, and the shop's own copies.
const REPLACED: [(&str, &str); 6] = [
    (
        "https://cdn.jsdelivr.net/npm/bootstrap-icons@1.5.0/font/bootstrap-icons.css",
        "/icons/bootstrap-icons.css",
    ),
    (
        "https://cdn.jsdelivr.net/npm/bootstrap@5.2.3/dist/js/bootstrap.bundle.min.js",
        "/js/bootstrap.bundle.min.js",
    ),
    ("href=\"assets/", "href=\"/assets/"),
    ("href=\"css/", "href=\"/css/"),
    (
        "<script src=\"js/scripts.js\"></script>",
        "<script src=\"/js/scripts.js\"></script>\n        <script src=\"/js/shop.js\"></script>",
    ),
    (
        "<a class=\"navbar-brand\" href=\"#!\">",
        "<a class=\"navbar-brand\" href=\"/\">",
    ),
];

/// Reads the packages below `modules` (a `node_modules` folder) and makes the shop.
pub(super) fn site(modules: &Path) -> Result<Site> {
    let template = modules.join("startbootstrap-shop-homepage").join("dist");
    let read = |file: &Path| fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let index =
        String::from_utf8(read(&template.join("index.html"))?).context("the template is not UTF-8")?;
    let home = home(&index)?;

    let mut pages = BTreeMap::new();
    let mut add = |path: String, content_type, content: Vec<u8>| {
        pages.insert(
            path,
            Page {
                content_type,
                content,
            },
        );
    };
    for product in &PRODUCTS {
        add(product.path(), HTML, product_page(&home, product)?.into_bytes());
        add(
            format!("/images/{}.svg", product.slug),
            "image/svg+xml",
            picture(product).into_bytes(),
        );
    }
    add("/cart".to_owned(), HTML, cart_page(&home)?.into_bytes());
    add("/raw/terms".to_owned(), HTML, TERMS.as_bytes().to_vec());
    add("/js/shop.js".to_owned(), SCRIPT, SHOP_SCRIPT.as_bytes().to_vec());
    for (path, content_type, file) in [
        (
            "/assets/favicon.ico",
            "image/x-icon",
            template.join("assets/favicon.ico"),
        ),
        (
            "/css/styles.css",
            "text/css; charset=utf-8",
            template.join("css/styles.css"),
        ),
        ("/js/scripts.js", SCRIPT, template.join("js/scripts.js")),
        (
            "/js/bootstrap.bundle.min.js",
            SCRIPT,
            modules.join("bootstrap/dist/js/bootstrap.bundle.min.js"),
        ),
        (
            "/icons/bootstrap-icons.css",
            "text/css; charset=utf-8",
            modules.join("bootstrap-icons/font/bootstrap-icons.css"),
        ),
        (
            "/icons/fonts/bootstrap-icons.woff2",
            "font/woff2",
            modules.join("bootstrap-icons/font/fonts/bootstrap-icons.woff2"),
        ),
        (
            "/icons/fonts/bootstrap-icons.woff",
            "font/woff",
            modules.join("bootstrap-icons/font/fonts/bootstrap-icons.woff"),
        ),
    ] {
        add(path.to_owned(), content_type, read(&file)?);
    }
    let missing = page(
        &home,
        "Not found",
        "",
        "<h1 class=\"fw-bolder\">There is nothing here</h1>",
    )?;
    add("/".to_owned(), HTML, home.into_bytes());
    Ok(Site {
        pages,
        not_found: Page {
            content_type: HTML,
            content: missing.into_bytes(),
        },
    })
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The template with the goods in its cards, and nothing from other sites.
fn home(template: &str) -> Result<String> {
    let mut html = template.to_owned();
    for (theirs, ours) in REPLACED {
        ensure!(
            html.contains(theirs),
            "the template has changed: it has no `{theirs}`"
        );
        html = html.replace(theirs, ours);
    }
    let parts: Vec<&str> = html.split(CARD).collect();
    ensure!(
        parts.len() == PRODUCTS.len() + 1,
        "the template has {} cards",
        parts.len() - 1
    );
    let mut filled = String::from(parts[0]);
    for (card, product) in parts[1..].iter().zip(&PRODUCTS) {
        filled.push_str(CARD);
        filled.push_str(&fill(card, product)?);
    }
    Ok(filled)
}

fn fill(card: &str, product: &Product) -> Result<String> {
    let name = between(card, "<h5 class=\"fw-bolder\">", "</h5>").context("a card without a name")?;
    let label = between(
        card,
        "<a class=\"btn btn-outline-dark mt-auto\" href=\"#\">",
        "</a>",
    )
    .context("a card without a link")?;
    let link = format!("href=\"#\">{label}</a>");
    let target = format!(
        "href=\"{}\" data-category=\"{}\">View options</a>",
        product.path(),
        product.category
    );
    let picture = format!("src=\"{TEMPLATE_PICTURE}\" alt=\"...\"");
    let own_picture = format!("src=\"/images/{}.svg\" alt=\"{}\"", product.slug, product.name);
    Ok(card
        .replace(&format!(">{name}</h5>"), &format!(">{}</h5>", product.name))
        .replace(&link, &target)
        .replace(&picture, &own_picture))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// A page with the home page's frame. `head` goes into the head, `content` between header and footer.
fn page(home: &str, title: &str, head: &str, content: &str) -> Result<String> {
    let (before, rest) = home.split_once(HEADER).context("the template has no header")?;
    let (_, after) = rest.split_once(FOOTER).context("the template has no footer")?;
    let old_title = between(before, "<title>", "</title>").context("the template has no title")?;
    let before = before.replace(
        &format!("<title>{old_title}</title>"),
        &format!("<title>{title} - Shop in style</title>{head}"),
    );
    Ok(format!(
        "{before}<section class=\"py-5\"><div class=\"container px-4 px-lg-5 my-5\">{content}</div></section>\n        {FOOTER}{after}"
    ))
}

fn product_page(home: &str, product: &Product) -> Result<String> {
    let Product { slug, name, category } = product;
    let card = home
        .split(CARD)
        .find(|card| card.contains(&format!("{}\"", product.path())))
        .with_context(|| format!("there is no card for {slug}"))?;
    let price = price(card).with_context(|| format!("the card of {slug} has no price"))?;
    let head = format!("\n        <meta name=\"product-category\" content=\"{category}\" />");
    let data = format!("data-product=\"{slug}\" data-category=\"{category}\" data-price=\"{price}\"");
    let content = format!(
        "\n<div class=\"row gx-4 gx-lg-5 align-items-center\" id=\"product\" {data}>\n\
         <div class=\"col-md-6\"><img class=\"card-img-top mb-5 mb-md-0\" src=\"/images/{slug}.svg\" alt=\"{name}\" /></div>\n\
         <div class=\"col-md-6\">\n<div class=\"small mb-1\">{category}</div>\n\
         <h1 class=\"display-5 fw-bolder\">{name}</h1>\n\
         <div class=\"fs-5 mb-5\" id=\"price\">${price}</div>\n\
         <p class=\"lead\" id=\"offer\">Made for people who would rather be outside.</p>\n\
         <button class=\"btn btn-outline-dark\" id=\"add-to-cart\" type=\"button\" data-track=\"Product Added\" {data}>Add to cart</button>\n\
         <a class=\"btn btn-link\" id=\"to-home\" href=\"/\">Back to the shop</a>\n</div>\n</div>\n"
    );
    page(home, name, &head, &content)
}

/// The price to pay: the last one on a card is the reduced one, or the only one; of a range, the lower.
fn price(card: &str) -> Option<&str> {
    let prices = between(card, "<!-- Product price-->", "</div>")?;
    let text = prices.rsplit("</span>").next()?.trim();
    text.strip_prefix('$')?.split_whitespace().next()
}

fn cart_page(home: &str) -> Result<String> {
    let content = "\n<h1 class=\"display-5 fw-bolder\">Your cart</h1>\n<p class=\"lead\" id=\"cart-note\">Everything in it is still yours.</p>\n\
         <button class=\"btn btn-dark\" id=\"order\" type=\"button\" data-track=\"Order Completed\">Order</button>\n\
         <a class=\"btn btn-link\" id=\"to-home\" href=\"/\">Back to the shop</a>\n";
    page(home, "Cart", "", content)
}

/// What the shop's own team would have written: it tells the SDK what the visitor does.
const SHOP_SCRIPT: &str = r##"(function () {
  "use strict";
  function properties(element) {
    var data = element.dataset;
    return { product: data.product, category: data.category, price: data.price && Number(data.price) };
  }
  function track(name, values) {
    // Until the SDK is there, calls wait in a list.
    var nearside = (window.nearside = window.nearside || []);
    if (nearside.track) { nearside.track(name, values); } else { nearside.push(["track", name, values]); }
  }
  var product = document.getElementById("product");
  if (product) { track("Product Viewed", properties(product)); }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-track]");
    if (button) { track(button.dataset.track, properties(button)); }
  });
})();
"##;

/// A page that no experience touches, written as old pages are: its bytes have to come through as they are.
const TERMS: &str = "<!doctype HTML>\r\n<HTML><head><TITLE>Terms &amp; conditions</title>\r\n<body bgcolor=white>\r\n\
<H1 align=center>Terms</h1>\r\n<p>You pay, we send.<p>Goods may be returned within 30 days<br>\r\n<!-- a comment --- with dashes -->\r\n\
<table><tr><td>Unclosed cell<tr><td>Second\r\n</table>\r\n<p>Price &lt; value &copy 2023 \u{2014} na\u{ef}ve\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> String {
        let cards: String = (0..PRODUCTS.len())
            .map(|number| {
                format!(
                    "{CARD}<img src=\"{TEMPLATE_PICTURE}\" alt=\"...\" /><h5 class=\"fw-bolder\">Item</h5>\
                     <!-- Product price-->\n<span>$50.00</span>\n${number}.00 - $80.00\n</div>\
                     <a class=\"btn btn-outline-dark mt-auto\" href=\"#\">Add to cart</a></div>"
                )
            })
            .collect();
        let others: String = REPLACED.iter().map(|(theirs, _)| *theirs).collect();
        format!("<title>T</title>{others}{HEADER}<h1>Shop</h1>{cards}{FOOTER}</body>")
    }

    #[test]
    fn every_card_leads_to_a_product_page() {
        let home = home(&template()).unwrap();
        for product in &PRODUCTS {
            assert!(home.contains(&format!("href=\"{}\"", product.path())), "{home}");
            assert!(home.contains(&format!("src=\"/images/{}.svg\"", product.slug)));
        }
        assert!(!home.contains("href=\"#\""), "{home}");
    }

    #[test]
    fn nothing_comes_from_other_sites() {
        let home = home(&template()).unwrap();
        assert!(!home.contains("https://"), "{home}");
    }

    #[test]
    fn a_product_page_names_its_category_and_its_price() {
        let home = home(&template()).unwrap();
        let page = product_page(&home, &PRODUCTS[3]).unwrap();
        assert!(
            page.contains("<meta name=\"product-category\" content=\"tents\" />"),
            "{page}"
        );
        assert!(page.contains("data-price=\"3.00\""), "{page}");
        assert!(
            page.contains("<title>Dome Tent - Shop in style</title>"),
            "{page}"
        );
        assert!(!page.contains(CARD), "the home page's cards are no part of it");
    }

    #[test]
    fn a_template_of_another_version_is_named_as_the_cause() {
        let error = home("<html></html>").unwrap_err();
        assert!(error.to_string().contains("the template has changed"), "{error}");
    }

    #[test]
    fn slugs_are_unique() {
        let slugs: std::collections::BTreeSet<_> = PRODUCTS.iter().map(|product| product.slug).collect();
        assert_eq!(slugs.len(), PRODUCTS.len());
    }
}
