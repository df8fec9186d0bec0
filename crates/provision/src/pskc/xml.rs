//! XML in bounded memory: one element of the container at a time.
//!
//! The bounds stand before the parser, not behind it: a tag or a text of a gigabyte is cut off while
//! it is read.

use std::io::{self, BufRead, Read};

use quick_xml::{
    NsReader,
    events::{BytesStart, Event},
    name::{NamespaceResolver, ResolveResult},
};
use zeroize::Zeroizing;

use super::{
    Error,
    element::{Element, Space},
};

/// Bytes of an element of the container, tags and spaces included.
const MAX_BYTES: usize = 64 << 10;
/// Elements in it.
const MAX_ELEMENTS: usize = 512;
/// How deep they stand in each other.
const MAX_DEPTH: usize = 16;

pub(super) struct Xml<R> {
    reader: NsReader<Bounded<R>>,
    buffer: Zeroizing<Vec<u8>>,
}

impl<R: BufRead> Xml<R> {
    pub(super) fn new(input: R) -> Self {
        let mut reader = NsReader::from_reader(Bounded { input, left: MAX_BYTES, hit: false });
        reader.config_mut().expand_empty_elements = true;
        Self { reader, buffer: Zeroizing::new(Vec::with_capacity(MAX_BYTES)) }
    }

    /// The start tag of the document's element.
    pub(super) fn root(&mut self) -> Result<Element, Error> {
        self.renew();
        loop {
            match self.event()? {
                Part::Start(root) => return Ok(root),
                Part::Text(text) if text.trim().is_empty() => {}
                _ => return Err(Error::Xml),
            }
        }
    }

    /// The next element in the document's element, whole; none at its end.
    pub(super) fn child(&mut self) -> Result<Option<Element>, Error> {
        self.renew();
        loop {
            match self.event()? {
                Part::Start(child) => return self.whole(child).map(Some),
                // Text between the parts of a container has no meaning.
                Part::Text(_) => {}
                Part::End => return self.rest().map(|()| None),
                Part::Eof => return Err(Error::Xml),
            }
        }
    }

    /// All up to the end of `element`.
    fn whole(&mut self, element: Element) -> Result<Element, Error> {
        let mut open = vec![element];
        let mut elements = 1_usize;
        loop {
            match self.event()? {
                Part::Start(element) => {
                    elements = elements.saturating_add(1);
                    if open.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                        return Err(Error::TooLarge);
                    }
                    open.push(element);
                }
                Part::Text(text) => open.last_mut().ok_or(Error::Xml)?.push_text(&text),
                Part::End => {
                    let closed = open.pop().ok_or(Error::Xml)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => return Ok(closed),
                    }
                }
                Part::Eof => return Err(Error::Xml),
            }
        }
    }

    /// After the document's element: nothing but space.
    fn rest(&mut self) -> Result<(), Error> {
        loop {
            match self.event()? {
                Part::Eof => return Ok(()),
                Part::Text(text) if text.trim().is_empty() => {}
                _ => return Err(Error::Xml),
            }
        }
    }

    fn renew(&mut self) {
        self.reader.get_mut().left = MAX_BYTES;
    }

    fn event(&mut self) -> Result<Part, Error> {
        loop {
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            let event = match event {
                Ok(event) => event,
                Err(_) if self.reader.get_mut().hit => return Err(Error::TooLarge),
                Err(_) => return Err(Error::Xml),
            };
            return Ok(match event {
                Event::Start(start) => Part::Start(element(&start, self.reader.resolver())?),
                Event::End(_) => Part::End,
                Event::Text(text) => Part::text(&text.xml10_content()),
                Event::CData(text) => Part::text(&text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(character)) => Part::text(character.encode_utf8(&mut [0; 4])),
                    Ok(None) => Part::text(xml_entity(&reference).ok_or(Error::Entity)?),
                    Err(_) => return Err(Error::Xml),
                },
                Event::DocType(_) => return Err(Error::Entity),
                Event::Eof => Part::Eof,
                Event::Comment(_) | Event::PI(_) => continue,
                Event::Decl(decl) => match decl.encoding() {
                    None => continue,
                    Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") => continue,
                    Some(_) => return Err(Error::Xml),
                },
                Event::Empty(_) => return Err(Error::Xml),
            });
        }
    }
}

/// What the parser found, out of its buffer.
enum Part {
    Start(Element),
    Text(Zeroizing<String>),
    End,
    Eof,
}

impl Part {
    fn text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }
}

fn element(start: &BytesStart<'_>, resolver: &NamespaceResolver) -> Result<Element, Error> {
    let (space, name) = resolver.resolve_element(start.name());
    let space = match space {
        ResolveResult::Bound(space) => Space::of(space.as_ref()),
        ResolveResult::Unbound => Space::Other,
        ResolveResult::Unknown(_) => return Err(Error::Xml),
    };
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.map_err(|_| Error::Xml)?;
        // Only XML's own entities are resolved; another one is an error.
        let value = quick_xml::escape::unescape(&attribute.value).map_err(|_| Error::Entity)?;
        Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
    });
    Ok(Element::new(space, name.as_ref().to_owned(), attributes.collect::<Result<_, _>>()?))
}

/// XML 1.0, section 4.6.
fn xml_entity(name: &str) -> Option<&'static str> {
    match name {
        "lt" => Some("<"),
        "gt" => Some(">"),
        "amp" => Some("&"),
        "apos" => Some("'"),
        "quot" => Some("\""),
        _ => None,
    }
}

/// Gives out so many bytes and then an error.
struct Bounded<R> {
    input: R,
    left: usize,
    hit: bool,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let bytes = self.input.fill_buf()?;
        if self.left == 0 && !bytes.is_empty() {
            self.hit = true;
            return Err(io::Error::other("the element is too large"));
        }
        Ok(bytes.get(..bytes.len().min(self.left)).unwrap_or_default())
    }

    fn consume(&mut self, len: usize) {
        self.left = self.left.saturating_sub(len);
        self.input.consume(len);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}
