//! "In body" (WHATWG HTML § 13.2.6.4.7) and what comes after it (§ 13.2.6.4.19, 13.2.6.4.22).

use super::stack::Scope;
use super::{Entry, Lost, Mode, Name, Namespace, Next, StartTag, Tag, TextKind, Tree};

impl Tree {
    /// Also for the tags that other modes treat as this one does.
    pub(super) fn in_body_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title => return self.in_head_start(tag),
            Tag::Html
            | Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Frame
            | Tag::Head
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => return self.ignore(),
            Tag::Body => {
                if !self.has_template() {
                    self.frameset_ok = false;
                }
                return self.ignore();
            }
            Tag::Frameset => {
                if self.frameset_ok {
                    self.lost = Some(Lost::Frameset);
                }
                return self.ignore();
            }
            Tag::Address
            | Tag::Article
            | Tag::Aside
            | Tag::Blockquote
            | Tag::Center
            | Tag::Details
            | Tag::Dialog
            | Tag::Dir
            | Tag::Div
            | Tag::Dl
            | Tag::Fieldset
            | Tag::Figcaption
            | Tag::Figure
            | Tag::Footer
            | Tag::Header
            | Tag::Hgroup
            | Tag::Main
            | Tag::Menu
            | Tag::Nav
            | Tag::Ol
            | Tag::P
            | Tag::Search
            | Tag::Section
            | Tag::Summary
            | Tag::Ul => {
                self.close_p_in_button_scope();
                self.insert_own(tag);
            }
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                self.close_p_in_button_scope();
                if self.current_is_any(Tag::is_heading) {
                    self.pop();
                }
                self.insert_own(tag);
            }
            Tag::Pre | Tag::Listing => {
                self.close_p_in_button_scope();
                self.insert_own(tag);
                self.frameset_ok = false;
            }
            Tag::Form => return self.form_start(tag),
            Tag::Li | Tag::Dd | Tag::Dt => {
                self.frameset_ok = false;
                self.close_item(tag.name.tag);
                self.close_p_in_button_scope();
                self.insert_own(tag);
            }
            Tag::Plaintext => {
                self.close_p_in_button_scope();
                return self.insert_text_element(tag, TextKind::PlainText);
            }
            Tag::Button => {
                if self.has_in_scope(Scope::Default, Tag::Button) {
                    self.generate_implied_ends(None);
                    self.pop_until_tag(Tag::Button);
                }
                self.reconstruct();
                self.insert_own(tag);
                self.frameset_ok = false;
            }
            Tag::A => {
                self.close_link();
                self.reconstruct();
                self.insert_formatting(tag);
            }
            Tag::B
            | Tag::Big
            | Tag::Code
            | Tag::Em
            | Tag::Font
            | Tag::I
            | Tag::S
            | Tag::Small
            | Tag::Strike
            | Tag::Strong
            | Tag::Tt
            | Tag::U => {
                self.reconstruct();
                self.insert_formatting(tag);
            }
            Tag::Nobr => {
                self.reconstruct();
                if self.has_in_scope(Scope::Default, Tag::Nobr) {
                    self.adopt(Tag::Nobr);
                    self.reconstruct();
                }
                self.insert_formatting(tag);
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                self.reconstruct();
                self.insert_own(tag);
                self.active.push(Entry::Marker);
                self.frameset_ok = false;
            }
            Tag::Table => {
                if !self.quirks {
                    self.close_p_in_button_scope();
                }
                self.insert_own(tag);
                self.frameset_ok = false;
                self.mode = Mode::InTable;
            }
            Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Keygen | Tag::Wbr => {
                self.reconstruct();
                self.frameset_ok = false;
                return self.insert_void(tag);
            }
            Tag::Image => {
                self.reconstruct();
                self.frameset_ok = false;
                self.insert_own_in(Name::from(Tag::Img), Namespace::Html);
                self.step.is_void = true;
            }
            Tag::Input => {
                if self.has_in_scope(Scope::Default, Tag::Select) {
                    self.pop_until_tag(Tag::Select);
                }
                self.reconstruct();
                self.frameset_ok &= tag.has_value("type", &["hidden"]);
                return self.insert_void(tag);
            }
            Tag::Param | Tag::Source | Tag::Track => return self.insert_void(tag),
            Tag::Hr => {
                self.close_p_in_button_scope();
                if self.has_in_scope(Scope::Default, Tag::Select) {
                    self.generate_implied_ends(None);
                }
                self.frameset_ok = false;
                return self.insert_void(tag);
            }
            Tag::Textarea => {
                self.frameset_ok = false;
                return self.insert_text_element(tag, TextKind::Rcdata);
            }
            Tag::Xmp => {
                self.close_p_in_button_scope();
                self.reconstruct();
                self.frameset_ok = false;
                return self.insert_text_element(tag, TextKind::RawText);
            }
            Tag::Iframe => {
                self.frameset_ok = false;
                return self.insert_text_element(tag, TextKind::RawText);
            }
            Tag::Noembed | Tag::Noscript => return self.insert_text_element(tag, TextKind::RawText),
            Tag::Select => {
                if self.has_in_scope(Scope::Default, Tag::Select) {
                    self.pop_until_tag(Tag::Select);
                    return self.ignore();
                }
                self.reconstruct();
                self.insert_own(tag);
                self.frameset_ok = false;
            }
            Tag::Option | Tag::Optgroup => {
                if self.has_in_scope(Scope::Default, Tag::Select) {
                    self.generate_implied_ends((tag.name.tag == Tag::Option).then_some(Tag::Optgroup));
                } else if self.current_is(Tag::Option) {
                    self.pop();
                }
                self.reconstruct();
                self.insert_own(tag);
            }
            Tag::Rb | Tag::Rtc => {
                if self.has_in_scope(Scope::Default, Tag::Ruby) {
                    self.generate_implied_ends(None);
                }
                self.insert_own(tag);
            }
            Tag::Rp | Tag::Rt => {
                if self.has_in_scope(Scope::Default, Tag::Ruby) {
                    self.generate_implied_ends(Some(Tag::Rtc));
                }
                self.insert_own(tag);
            }
            Tag::Math => return self.enter_foreign(tag, Namespace::MathMl),
            Tag::Svg => return self.enter_foreign(tag, Namespace::Svg),
            _ => {
                self.reconstruct();
                self.insert_own(tag);
            }
        }
        Next::Done
    }

    fn form_start(&mut self, tag: &StartTag<'_>) -> Next {
        let in_template = self.has_template();
        if self.form.is_some() && !in_template {
            return self.ignore();
        }
        self.close_p_in_button_scope();
        self.insert_own(tag);
        if !in_template {
            self.form = self.step.own;
        }
        Next::Done
    }

    /// An item of a list closes the one before it.
    fn close_item(&mut self, tag: Tag) {
        let closes = |known: Tag| match tag {
            Tag::Li => known == Tag::Li,
            _ => matches!(known, Tag::Dd | Tag::Dt),
        };
        let mut found = None;
        for node in self.stack.iter().rev() {
            if node.is_html(closes) {
                found = Some(node.name.tag);
                break;
            }
            if node.is_special() && !node.is_html(|tag| matches!(tag, Tag::Address | Tag::Div | Tag::P)) {
                break;
            }
        }
        if let Some(tag) = found {
            self.generate_implied_ends(Some(tag));
            self.pop_until_tag(tag);
        }
    }

    /// A link closes the one that is open.
    fn close_link(&mut self) {
        let Some(id) = self.formatting_since_marker(Tag::A) else { return };
        self.adopt(Tag::A);
        if let Some(index) = self.entry_of(id) {
            self.remove_entry(index);
        }
        self.remove_from_stack(id);
    }

    /// Also for the tags that other modes treat as this one does.
    pub(super) fn in_body_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Template => return self.close_template(),
            Tag::Body | Tag::Html => {
                if !self.has_in_scope(Scope::Default, Tag::Body) {
                    return self.ignore();
                }
                self.mode = Mode::AfterBody;
                return if name.tag == Tag::Html { Next::Again } else { Next::Done };
            }
            Tag::Address
            | Tag::Article
            | Tag::Aside
            | Tag::Blockquote
            | Tag::Button
            | Tag::Center
            | Tag::Details
            | Tag::Dialog
            | Tag::Dir
            | Tag::Div
            | Tag::Dl
            | Tag::Fieldset
            | Tag::Figcaption
            | Tag::Figure
            | Tag::Footer
            | Tag::Header
            | Tag::Hgroup
            | Tag::Listing
            | Tag::Main
            | Tag::Menu
            | Tag::Nav
            | Tag::Ol
            | Tag::Pre
            | Tag::Search
            | Tag::Section
            | Tag::Select
            | Tag::Summary
            | Tag::Ul => return self.close_in_scope(name.tag, Scope::Default, None),
            Tag::Form => return self.form_end(),
            Tag::P => {
                if !self.has_in_scope(Scope::Button, Tag::P) {
                    self.insert(Name::from(Tag::P), Namespace::Html, super::Origin::Implied);
                }
                self.generate_implied_ends(Some(Tag::P));
                self.pop_until_tag(Tag::P);
            }
            Tag::Li => return self.close_in_scope(Tag::Li, Scope::ListItem, Some(Tag::Li)),
            Tag::Dd | Tag::Dt => return self.close_in_scope(name.tag, Scope::Default, Some(name.tag)),
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                if !self.in_scope(Scope::Default, |node| node.is_html(Tag::is_heading)) {
                    return self.ignore();
                }
                self.generate_implied_ends(None);
                self.pop_until(|node| node.is_html(Tag::is_heading));
            }
            tag if tag.is_formatting() => self.adopt(tag),
            Tag::Applet | Tag::Marquee | Tag::Object => {
                if !self.has_in_scope(Scope::Default, name.tag) {
                    return self.ignore();
                }
                self.generate_implied_ends(None);
                self.pop_until_tag(name.tag);
                self.clear_to_marker();
            }
            Tag::Br => {
                self.reconstruct();
                self.frameset_ok = false;
                self.insert(Name::from(Tag::Br), Namespace::Html, super::Origin::Implied);
                self.step.is_void = true;
            }
            _ => return self.any_other_end(name),
        }
        Next::Done
    }

    fn close_in_scope(&mut self, tag: Tag, scope: Scope, except: Option<Tag>) -> Next {
        if !self.has_in_scope(scope, tag) {
            return self.ignore();
        }
        self.generate_implied_ends(except);
        self.pop_until_tag(tag);
        Next::Done
    }

    fn form_end(&mut self) -> Next {
        if self.has_template() {
            return self.close_in_scope(Tag::Form, Scope::Default, None);
        }
        let Some(form) = self.form.take() else { return self.ignore() };
        if !self.in_scope(Scope::Default, |node| node.id == form) {
            // What is open and knew of the form now goes on without it.
            self.stack.iter_mut().filter(|node| node.form == Some(form)).for_each(|node| node.strayed = true);
            return self.ignore();
        }
        self.generate_implied_ends(None);
        if self.stack.last().is_some_and(|node| node.id == form) {
            self.pop();
        } else {
            let above = self.stack.iter().position(|node| node.id == form).unwrap_or(self.stack.len());
            self.stack.iter_mut().skip(above).for_each(|node| node.strayed = true);
            self.remove_from_stack(form);
        }
        Next::Done
    }

    /// "Any other end tag".
    pub(super) fn any_other_end(&mut self, name: &Name) -> Next {
        for index in (0..self.stack.len()).rev() {
            let Some(node) = self.stack.get(index) else { break };
            if node.ns == Namespace::Html && node.name == *name {
                let id = node.id;
                while self
                    .stack
                    .last()
                    .is_some_and(|node| node.is_html(Tag::has_implied_end) && node.name != *name)
                {
                    self.pop();
                }
                if self.stack.iter().any(|node| node.id == id) {
                    self.pop_until(|node| node.id == id);
                }
                return Next::Done;
            }
            if node.is_special() {
                return self.ignore();
            }
        }
        self.ignore()
    }

    pub(super) fn after_body_start(&mut self, tag: &StartTag<'_>) -> Next {
        if tag.name.tag == Tag::Html {
            return self.ignore();
        }
        self.resume_body()
    }

    /// What comes after the body's end tag goes into it.
    pub(super) fn resume_body(&mut self) -> Next {
        self.step.resumed = true;
        // Comments went elsewhere in the meantime.
        self.stack.iter_mut().skip(2).for_each(|node| node.strayed = true);
        self.mode = Mode::InBody;
        Next::Again
    }

    pub(super) fn after_body_end(&mut self, name: &Name) -> Next {
        if name.tag == Tag::Html && self.mode == Mode::AfterBody {
            self.mode = Mode::AfterAfterBody;
            return Next::Done;
        }
        self.resume_body()
    }

    /// Whether the body has been ended, so far.
    pub(crate) const fn is_after_body(&self) -> bool {
        matches!(self.mode, Mode::AfterBody | Mode::AfterAfterBody)
    }

    /// Whether the head has been ended and the body has not begun.
    pub(crate) const fn is_after_head(&self) -> bool {
        matches!(self.mode, Mode::AfterHead)
    }
}
