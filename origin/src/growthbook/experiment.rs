//! Auto experiments: what the visual editor made, and redirects.

use super::assignment::Source;
use super::feature::set_condition;
use super::{Import, text, truthy};
use nearside_engine::value::{Object, Value};

impl Import<'_> {
    pub(super) fn experiments(&mut self) -> Vec<Value> {
        let payload = self.payload;
        let given = payload.get("experiments").as_array().unwrap_or_default();
        let mut experiences: Vec<Value> = Vec::with_capacity(given.len());
        for (index, experiment) in given.iter().enumerate() {
            let path = format!("$.experiments[{index}]");
            let Some(key) = text(experiment.get("key")) else {
                self.warn(&path, "an experiment without a key is left out");
                continue;
            };
            if experiences
                .iter()
                .any(|known| known.get("id").as_str() == Some(key))
            {
                self.warn(
                    &path,
                    format!("there are two experiments `{key}`: the later one is left out"),
                );
                continue;
            }
            experiences.extend(self.experiment(key, experiment, &path).map(Value::Object));
        }
        experiences
    }

    fn experiment(&mut self, key: &str, experiment: &Value, path: &str) -> Option<Object> {
        let variations = experiment.get("variations").as_array().unwrap_or_default();
        if variations.len() < 2 {
            self.warn(path, "an experiment with less than two variations is left out");
            return None;
        }
        let source = Source {
            value: experiment,
            path,
            key,
            is_rule: false,
            hashes: true,
        };
        let mut experience = Object::new();
        let hashing = self.hashing(&source);
        let can_assign = hashing.is_some();
        for (name, value) in hashing.unwrap_or_default().iter() {
            experience.insert(name, value.clone());
        }
        experience.insert("id", key);
        if let Some(name) = text(experiment.get("name")) {
            experience.insert("name", name);
        }
        experience.insert("queryOverride", true);
        let is_redirect = variations
            .iter()
            .any(|variation| !variation.get("urlRedirect").is_null());
        experience.insert("kind", if is_redirect { "redirect" } else { "experiment" });
        if is_redirect && truthy(experiment.get("persistQueryString")) {
            experience.insert("keepQuery", true);
        }
        self.variations(experiment, variations, path, &mut experience);
        let runs = self.status(experiment, path, &mut experience);
        if !(runs && can_assign) {
            experience.insert("status", "paused");
        }
        let mut targeted = Vec::new();
        if let Value::Array(targets) = experiment.get("urlPatterns") {
            targeted.push(self.url_targets(targets, path));
        }
        if let Some(pattern) = text(experiment.get("url")) {
            targeted.push(self.url_pattern(pattern, &format!("{path}.url")));
        }
        set_condition(&mut experience, "requires", targeted);
        let mut when = self.required(experiment.get("parentConditions"), path);
        if !experiment.get("condition").is_null() {
            when.push(self.condition(experiment.get("condition"), &format!("{path}.condition")));
        }
        set_condition(&mut experience, "when", when);
        Some(experience)
    }

    /// Whether the experiment assigns anything; what it gives to all goes into `release`.
    fn status(&mut self, experiment: &Value, path: &str, experience: &mut Object) -> bool {
        for (name, what) in [
            ("include", "a function of the page"),
            ("groups", "groups of an older kind"),
        ] {
            if !experiment.get(name).is_null() {
                self.warn(
                    path,
                    format!("`{name}` is {what}, which is not known here: it is paused"),
                );
                return false;
            }
        }
        if experiment.get("manual") == &Value::Bool(true) {
            self.warn(
                path,
                "it is triggered by the page's own code, which is not known here: it is paused",
            );
            return false;
        }
        if experiment.get("active") == &Value::Bool(false)
            || experiment.get("status").as_str() == Some("draft")
        {
            return false;
        }
        let released = experiment.as_object().and_then(|object| object.get("force"));
        if let Some(released) = released {
            let variant = released
                .as_f64()
                .filter(|place| place.fract() == 0.0 && *place >= 0.0)
                .and_then(|place| experience.get("variants")?.as_array()?.get(place as usize))
                .and_then(|variant| variant.get("id").as_str())
                .map(str::to_owned);
            return match variant {
                Some(variant) => {
                    experience.insert("release", variant);
                    true
                }
                None => false,
            };
        }
        !self.options.qa && experiment.get("status").as_str() != Some("stopped")
    }

    fn variations(&mut self, experiment: &Value, variations: &[Value], path: &str, experience: &mut Object) {
        let (parts, traffic) = self.parts(experiment, variations.len());
        let mut variants: Vec<Value> = Vec::with_capacity(variations.len());
        for (index, (variation, part)) in variations.iter().zip(parts).enumerate() {
            let path = format!("{path}.variations[{index}]");
            let meta = experiment.get("meta").as_array().and_then(|meta| meta.get(index));
            let meta = meta.unwrap_or(&Value::Null);
            let mut variant = Object::new();
            variant.insert("id", self.variant_id(meta, index, &variants, &path));
            if let Some(name) = text(meta.get("name")) {
                variant.insert("name", name);
            }
            let mutations = self.mutations(variation, &path);
            if !mutations.is_empty() {
                variant.insert("mutations", mutations);
            }
            if let Some(address) = text(variation.get("urlRedirect")) {
                variant.insert("redirect", address);
            }
            variant.insert(part.0, part.1);
            variants.push(Value::Object(variant));
        }
        experience.insert("variants", variants);
        if let Some(traffic) = traffic {
            experience.insert("traffic", traffic);
        }
    }
}
