//! One small tree of elements: a key package, or a part of the container's head.

use zeroize::Zeroizing;

use super::Reason;

/// The namespaces that a container is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    /// RFC 6030, section 4.
    Pskc,
    /// XML Signature.
    Ds,
    /// XML Encryption 1.0.
    Xenc,
    /// XML Encryption 1.1, for derived keys.
    Xenc11,
    /// None, or one that is not known; PKCS #5's are looked for by name (`child_anywhere`).
    Other,
}

impl Space {
    pub(super) fn of(uri: &str) -> Self {
        match uri {
            "urn:ietf:params:xml:ns:keyprov:pskc" => Self::Pskc,
            "http://www.w3.org/2000/09/xmldsig#" => Self::Ds,
            "http://www.w3.org/2001/04/xmlenc#" => Self::Xenc,
            "http://www.w3.org/2009/xmlenc11#" => Self::Xenc11,
            _ => Self::Other,
        }
    }
}

/// An element with all that is in it. Its text may be a key, and is wiped.
pub(super) struct Element {
    pub(super) space: Space,
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    text: Zeroizing<String>,
}

impl Element {
    pub(super) fn new(space: Space, name: String, attributes: Vec<(String, String)>) -> Self {
        Self { space, name, attributes, children: Vec::new(), text: Zeroizing::default() }
    }

    pub(super) fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The text of the element itself, without the space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// The only child of that name, or none; two are refused.
    pub(super) fn child(&self, space: Space, name: &str) -> Result<Option<&Self>, Reason> {
        let mut named = self.children.iter().filter(|child| child.is(space, name));
        match (named.next(), named.next()) {
            (child, None) => Ok(child),
            _ => Err(Reason::Duplicate),
        }
    }

    /// The same whatever the namespace: for PKCS #5, on whose namespaces no two agree.
    pub(super) fn child_anywhere(&self, name: &str) -> Result<Option<&Self>, Reason> {
        let mut named = self.children.iter().filter(|child| child.name == name);
        match (named.next(), named.next()) {
            (child, None) => Ok(child),
            _ => Err(Reason::Duplicate),
        }
    }

    /// Appends text. A string that grows in place would leave its letters behind.
    pub(super) fn push_text(&mut self, text: &str) {
        let len = self.text.len().saturating_add(text.len());
        if len > self.text.capacity() {
            let mut longer = Zeroizing::new(String::with_capacity(len.saturating_mul(2)));
            longer.push_str(&self.text);
            self.text = longer;
        }
        self.text.push_str(text);
    }
}
