//! The goods of the demo shop.
//!
//! The template's eight cards have neither names nor kinds that a visitor could be interested in, so
//! each card becomes one of these, in order. Prices, badges and stars stay the template's.

/// One of the goods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// The last part of its page's path, `/products/CATEGORY/SLUG`.
    pub slug: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Its kind.
    pub category: &'static str,
}

impl Product {
    /// The path of its page.
    pub fn path(&self) -> String {
        format!("/products/{}/{}", self.category, self.slug)
    }
}

const fn product(slug: &'static str, name: &'static str, category: &'static str) -> Product {
    Product { slug, name, category }
}

/// All goods, in the order of the cards on the home page.
pub const PRODUCTS: [Product; 8] = [
    product("city-bike", "City Bike", "bikes"),
    product("trail-shoes", "Trail Shoes", "shoes"),
    product("gravel-bike", "Gravel Bike", "bikes"),
    product("dome-tent", "Dome Tent", "tents"),
    product("folding-bike", "Folding Bike", "bikes"),
    product("cargo-bike", "Cargo Bike", "bikes"),
    product("running-shoes", "Running Shoes", "shoes"),
    product("tunnel-tent", "Tunnel Tent", "tents"),
];

/// A picture of it, as SVG: the template's own pictures come from a site that a test cannot reach.
pub(super) fn picture(product: &Product) -> String {
    let (colour, shape) = match product.category {
        "bikes" => (
            "#2f6f8f",
            "<circle cx='150' cy='190' r='55'/><circle cx='310' cy='190' r='55'/>\
             <path d='M150 190 L205 110 L285 110 L310 190 M205 110 L235 190 L285 110 M235 190 L150 190 \
             M190 95 L220 95 M285 110 L278 82 L305 78'/>",
        ),
        "tents" => (
            "#6b8f2f",
            "<path d='M90 240 L225 70 L360 240 Z M225 70 L185 240 M225 70 L265 240 M60 240 L390 240'/>",
        ),
        _ => (
            "#8f4f2f",
            "<path d='M110 120 L175 120 L195 160 L300 190 Q345 200 345 235 L110 235 Z M110 215 L345 215 \
             M205 150 L222 132 M228 160 L245 142 M251 168 L268 150'/>",
        ),
    };
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='450' height='300' viewBox='0 0 450 300'>\
         <title>{}</title><rect width='450' height='300' fill='#eef1f3'/>\
         <g fill='none' stroke='{colour}' stroke-width='9' stroke-linejoin='round' stroke-linecap='round'>{shape}</g></svg>\n",
        product.name
    )
}
