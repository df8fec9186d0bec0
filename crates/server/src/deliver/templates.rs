//! What messages say: templates in the language of the service, which files of the operator's replace.
//!
//! A template is a text with a few placeholders and no logic. They are filled in here rather than
//! by an engine, which would copy a code into values that nobody wipes. What is refused at the start,
//! with the file's name: a placeholder that is not known there, a message for a code that does not
//! hold it once, a link of its own (none can be forged into a habit where none is sent but one), and a run of six
//! digits, which programs that read codes out of mails would take for one.

mod catalogue;
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

pub(super) use self::catalogue::Name;
use self::template::{Allowed, Template, Values};

/// The longest file of a template, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The page that paragraphs are put into, where a message has no HTML of its own.
const LAYOUT: &str = include_str!("templates/layout.html");
const LAYOUT_FILE: &str = "layout.html";
/// The longest subject, in bytes.
const LONGEST_SUBJECT: usize = 200;

/// Every message, in one language.
#[derive(Clone, Debug)]
pub struct Templates {
    language: String,
    layout: Template,
    messages: BTreeMap<Name, Message>,
}

#[derive(Clone, Debug)]
struct Message {
    subject: Template,
    paragraphs: Vec<Template>,
    html: Option<Template>,
}

/// A message, filled in.
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) text: Zeroizing<String>,
    pub(super) html: Zeroizing<String>,
}

impl Templates {
    /// The languages whose templates are built in.
    pub const LANGUAGES: [&str; 2] = ["en", "de"];

    /// The templates of a language: the files of `directory`, and for those that are not there the
    /// built-in ones.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(language: &str, directory: Option<&Path>) -> Result<Self, String> {
        let mut files = match directory {
            Some(directory) => read(&directory.join(language))?,
            None => BTreeMap::new(),
        };
        let layout = files.remove(LAYOUT_FILE);
        let layout = Template::parse(layout.as_deref().unwrap_or(LAYOUT), &Allowed::LAYOUT)
            .map_err(|why| format!("{language}/{LAYOUT_FILE}: {why}"))?;
        let mut messages = BTreeMap::new();
        for name in Name::ALL {
            let at = |suffix: &str, why: &str| format!("{language}/{}{suffix}: {why}", name.file());
            let text = files.remove(&format!("{}.txt", name.file()));
            let text = text.as_deref().or_else(|| name.built_in(language)).ok_or_else(|| {
                at(".txt", "it is missing, and there is no built-in one in this language")
            })?;
            let mut message = Message::parse(name, text).map_err(|why| at(".txt", &why))?;
            if let Some(html) = files.remove(&format!("{}.html", name.file())) {
                let html = Template::parse(&html, &name.allowed());
                message.html = Some(html.map_err(|why| at(".html", &why))?);
            }
            messages.insert(name, message);
        }
        match files.keys().next() {
            None => Ok(Self { language: language.to_owned(), layout, messages }),
            Some(unknown) => Err(format!(
                "{language}/{unknown}: no message has this name; `countersign templates` writes all that \
                 there are"
            )),
        }
    }

    /// Fills a message in.
    pub(super) fn say(
        &self,
        name: Name,
        service: &str,
        code: Option<&str>,
        lives_secs: u64,
    ) -> Option<Said> {
        let minutes = lives_secs.div_ceil(60).to_string();
        self.filled(name, &Values { service, code, minutes: &minutes, ..Values::default() })
    }

    /// Fills the message with the link in.
    pub(super) fn say_link(
        &self,
        name: Name,
        service: &str,
        link: &str,
        lives_secs: u64,
    ) -> Option<Said> {
        let days = lives_secs.div_ceil(24 * 60 * 60).to_string();
        self.filled(name, &Values { service, link, days: &days, ..Values::default() })
    }

    fn filled(&self, name: Name, values: &Values<'_>) -> Option<Said> {
        let (message, service) = (self.messages.get(&name)?, values.service);
        let subject = message.subject.fill(values).to_string();
        let paragraphs = Zeroizing::new(message.filled(|template| template.fill(values)));
        let mut text = Zeroizing::new(String::with_capacity(paragraphs.len() + service.len() + 8));
        for part in [&*paragraphs, service, "\n"] {
            text.push_str(part);
        }
        let html = match &message.html {
            Some(html) => html.fill_html(values),
            None => {
                let paragraphs = message.filled_html(values);
                let page = Values {
                    subject: &subject,
                    language: &self.language,
                    paragraphs: &paragraphs,
                    ..*values
                };
                self.layout.fill_html(&page)
            }
        };
        Some(Said { subject, text, html })
    }

    /// Fills a message to a phone in: one line.
    pub(super) fn say_to_phone(
        &self,
        name: Name,
        service: &str,
        code: &str,
        lives_secs: u64,
    ) -> Option<Zeroizing<String>> {
        let message = self.messages.get(&name)?;
        let minutes = lives_secs.div_ceil(60).to_string();
        let values = Values { service, code: Some(code), minutes: &minutes, ..Values::default() };
        message.paragraphs.first().map(|line| line.fill(&values))
    }
}

/// Writes the built-in templates of a language into a directory, to begin with.
///
/// # Errors
/// The system's; a file that is there is never written over.
pub fn write_built_in(language: &str, directory: &Path) -> io::Result<()> {
    let directory = directory.join(language);
    fs::create_dir_all(&directory)?;
    let put = |file: &str, text: &str| {
        let mut options = fs::File::options();
        let file = options.write(true).create_new(true).open(directory.join(file));
        file.and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
    };
    put(LAYOUT_FILE, LAYOUT)?;
    Name::ALL.into_iter().try_for_each(|name| {
        let text = name.built_in(language).or_else(|| name.built_in("en"));
        put(&format!("{}.txt", name.file()), text.unwrap_or_default())
    })
}

impl Message {
    /// `Subject: ...`, an empty line, paragraphs; a message to a phone is one line and no more.
    fn parse(name: Name, text: &str) -> Result<Self, String> {
        let text = text.replace("\r\n", "\n");
        let allowed = name.allowed();
        if name.is_to_phone() {
            let line = text.trim();
            if line.contains('\n') || line.is_empty() {
                return Err("a message to a phone is one line".to_owned());
            }
            let paragraphs = vec![Template::parse(line, &allowed)?];
            return Ok(Self { subject: Template::default(), paragraphs, html: None });
        }
        let rest = text.strip_prefix("Subject: ").ok_or("its first line must be `Subject: ...`")?;
        let (subject, body) =
            rest.split_once("\n\n").ok_or("an empty line must follow the subject")?;
        if subject.contains('\n') || subject.trim().is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(format!("the subject is one line of 1 to {LONGEST_SUBJECT} bytes"));
        }
        // A lock screen shows the subject.
        let subject = Template::parse(subject, &Allowed::NOTICE)?;
        // The whole is checked as one: the code is in it once.
        Template::parse(body, &allowed)?;
        let paragraphs = body.split("\n\n").map(str::trim).filter(|text| !text.is_empty());
        let paragraphs = paragraphs.map(|text| Template::parse(text, &allowed.anywhere()));
        Ok(Self { subject, paragraphs: paragraphs.collect::<Result<_, _>>()?, html: None })
    }

    fn filled(&self, fill: impl Fn(&Template) -> Zeroizing<String>) -> String {
        let filled: Vec<Zeroizing<String>> = self.paragraphs.iter().map(fill).collect();
        let mut text = String::with_capacity(filled.iter().map(|part| part.len() + 2).sum());
        for paragraph in &filled {
            text.push_str(paragraph);
            text.push_str("\n\n");
        }
        text
    }

    fn filled_html(&self, values: &Values<'_>) -> Zeroizing<String> {
        const CODE: &str = "<p style=\"margin:0 0 16px;font:600 32px/1.2 ui-monospace,monospace;\
                            letter-spacing:6px\">";
        const PLAIN: &str = "<p style=\"margin:0 0 16px\">";
        let filled: Vec<_> = self
            .paragraphs
            .iter()
            .map(|paragraph| {
                let style = if paragraph.is_code_alone() { CODE } else { PLAIN };
                let filled = paragraph.fill_html(values);
                let filled = if paragraph.is_link_alone() {
                    Zeroizing::new(format!("<a href=\"{0}\">{0}</a>", *filled))
                } else {
                    filled
                };
                (style, filled)
            })
            .collect();
        let room = filled.iter().map(|(style, part)| style.len() + part.len() + 8).sum();
        let mut html = Zeroizing::new(String::with_capacity(room));
        for (style, paragraph) in &filled {
            for part in [style, paragraph.as_str(), "</p>\n"] {
                html.push_str(part);
            }
        }
        html
    }
}

/// The files of one language, by their names.
fn read(directory: &Path) -> Result<BTreeMap<String, String>, String> {
    let at = |path: &Path, error: &io::Error| format!("{}: {error}", path.display());
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => return Err(at(directory, &error)),
    };
    for entry in entries {
        let path = entry.map_err(|error| at(directory, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        // An editor's and a file manager's own.
        let Some(name) = name.filter(|name| !name.starts_with('.') && !name.ends_with('~')) else {
            continue;
        };
        let metadata = fs::metadata(&path).map_err(|error| at(&path, &error))?;
        if !metadata.is_file() || metadata.len() > LONGEST {
            return Err(format!("{}: no file, or longer than {LONGEST} bytes", path.display()));
        }
        files.insert(name, fs::read_to_string(&path).map_err(|error| at(&path, &error))?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
