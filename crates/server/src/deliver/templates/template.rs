//! One template: text, and places that are filled in.

use zeroize::Zeroizing;

/// What may stand between braces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Service,
    Code,
    Minutes,
    Link,
    Days,
    Subject,
    Language,
    Paragraphs,
}

const PLACES: [(&str, Place); 8] = [
    ("service", Place::Service),
    ("code", Place::Code),
    ("minutes", Place::Minutes),
    ("link", Place::Link),
    ("days", Place::Days),
    ("subject", Place::Subject),
    ("language", Place::Language),
    ("paragraphs", Place::Paragraphs),
];

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Place(Place),
}

/// A template that was checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Template(Vec<Piece>);

/// What a template may hold, and what it must hold exactly once.
pub(super) struct Allowed {
    places: &'static [Place],
    once: Option<Place>,
}

/// What is filled in.
#[derive(Clone, Copy, Default)]
pub(super) struct Values<'a> {
    pub(super) service: &'a str,
    pub(super) code: Option<&'a str>,
    pub(super) minutes: &'a str,
    pub(super) link: &'a str,
    pub(super) days: &'a str,
    pub(super) subject: &'a str,
    pub(super) language: &'a str,
    /// HTML already.
    pub(super) paragraphs: &'a str,
}

impl Allowed {
    pub(super) const NOTICE: Self = Self { places: &[Place::Service], once: None };
    pub(super) const CODE: Self =
        Self { places: &[Place::Service, Place::Code, Place::Minutes], once: Some(Place::Code) };
    pub(super) const LINK: Self =
        Self { places: &[Place::Service, Place::Link, Place::Days], once: Some(Place::Link) };
    pub(super) const LAYOUT: Self = Self {
        places: &[Place::Service, Place::Subject, Place::Language, Place::Paragraphs],
        once: Some(Place::Paragraphs),
    };

    /// The same of a part, which need not hold what the whole does.
    pub(super) const fn anywhere(&self) -> Self {
        Self { places: self.places, once: None }
    }
}

impl Template {
    pub(super) fn parse(text: &str, allowed: &Allowed) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or("a `{{` is not closed")?;
            let name = name.trim();
            let place = PLACES.iter().find(|(known, _)| *known == name).map(|(_, place)| *place);
            let place = place.filter(|place| allowed.places.contains(place));
            // What stands there may be anything: it is shown, and is no secret.
            let place = place.ok_or_else(|| {
                let known = PLACES.iter().filter(|(_, place)| allowed.places.contains(place));
                let known: Vec<String> = known.map(|(name, _)| format!("{{{{{name}}}}}")).collect();
                format!("{{{{{name}}}}} is nothing that is filled in here; {}", known.join(", "))
            })?;
            pieces.extend([Piece::Text(before.to_owned()), Piece::Place(place)]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self(pieces);
        template.check(allowed)?;
        Ok(template)
    }

    fn check(&self, allowed: &Allowed) -> Result<(), String> {
        for text in self.0.iter().filter_map(Piece::text) {
            let lower = text.to_lowercase();
            if let Some(link) = ["http:", "https:", "www.", "mailto:", "href="]
                .into_iter()
                .find(|link| lower.contains(link))
            {
                return Err(format!("it holds {link:?}: no message holds a link but {{{{link}}}}"));
            }
            let mut runs = text.split(|letter: char| !letter.is_ascii_digit());
            if runs.any(|run| run.len() >= 6) {
                return Err("it holds six digits in a row, which look like a code".to_owned());
            }
        }
        let Some(once) = allowed.once else { return Ok(()) };
        let count = self.0.iter().filter(|piece| piece.place() == Some(once)).count();
        let name = PLACES.iter().find(|(_, place)| *place == once).map_or("", |(name, _)| *name);
        if count == 1 {
            Ok(())
        } else {
            Err(format!("{{{{{name}}}}} must be there once, not {count} times"))
        }
    }

    /// Whether it is the code and nothing else.
    pub(super) fn is_code_alone(&self) -> bool {
        self.is_alone(Place::Code)
    }

    /// Whether it is the link and nothing else.
    pub(super) fn is_link_alone(&self) -> bool {
        self.is_alone(Place::Link)
    }

    fn is_alone(&self, place: Place) -> bool {
        let said = |piece: &&Piece| piece.text().is_none_or(|text| !text.is_empty());
        let mut said = self.0.iter().filter(said);
        said.next().and_then(Piece::place) == Some(place) && said.next().is_none()
    }

    pub(super) fn fill(&self, values: &Values<'_>) -> Zeroizing<String> {
        self.filled(|place| Zeroizing::new(values.of(place).to_owned()))
    }

    /// What is filled in is escaped; the template's own text is not.
    pub(super) fn fill_html(&self, values: &Values<'_>) -> Zeroizing<String> {
        self.filled(|place| match place {
            Place::Paragraphs => Zeroizing::new(values.of(place).to_owned()),
            _ => Zeroizing::new(escape(values.of(place))),
        })
    }

    /// Into room for the whole: a string that grows leaves what it held behind.
    fn filled(&self, value: impl Fn(Place) -> Zeroizing<String>) -> Zeroizing<String> {
        let parts: Vec<Zeroizing<String>> = self
            .0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Zeroizing::new(text.clone()),
                Piece::Place(place) => value(*place),
            })
            .collect();
        let mut filled =
            Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| filled.push_str(part));
        filled
    }
}

impl Piece {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Place(_) => None,
        }
    }

    const fn place(&self) -> Option<Place> {
        match self {
            Self::Text(_) => None,
            Self::Place(place) => Some(*place),
        }
    }
}

impl<'a> Values<'a> {
    fn of(&self, place: Place) -> &'a str {
        match place {
            Place::Service => self.service,
            Place::Code => self.code.unwrap_or_default(),
            Place::Minutes => self.minutes,
            Place::Link => self.link,
            Place::Days => self.days,
            Place::Subject => self.subject,
            Place::Language => self.language,
            Place::Paragraphs => self.paragraphs,
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
