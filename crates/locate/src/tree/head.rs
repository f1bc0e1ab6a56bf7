//! The insertion modes around the head (WHATWG HTML § 13.2.6.4.2 to 13.2.6.4.6) and "in template" (§ 13.2.6.4.18).

use super::{Entry, Lost, Mode, Name, Next, StartTag, Tag, TextKind, Tree};

impl Tree {
    pub(super) fn before_html_start(&mut self, tag: &StartTag<'_>) -> Next {
        if tag.name.tag == Tag::Html {
            self.insert_own(tag);
            self.mode = Mode::BeforeHead;
            return Next::Done;
        }
        self.imply(Tag::Html, Mode::BeforeHead)
    }

    pub(super) fn before_head_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Html => self.ignore(),
            Tag::Head => {
                self.insert_own(tag);
                self.mode = Mode::InHead;
                Next::Done
            }
            _ => self.imply(Tag::Head, Mode::InHead),
        }
    }

    pub(super) fn before_head_end(&mut self, name: &Name) -> Next {
        match (name.tag, self.mode) {
            (Tag::Head | Tag::Body | Tag::Html | Tag::Br, Mode::BeforeHtml) => {
                self.imply(Tag::Html, Mode::BeforeHead)
            }
            (Tag::Head | Tag::Body | Tag::Html | Tag::Br, _) => self.imply(Tag::Head, Mode::InHead),
            _ => self.ignore(),
        }
    }

    /// Also for the tags that other modes treat as this one does.
    pub(super) fn in_head_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Html | Tag::Head => self.ignore(),
            Tag::Base | Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta => self.insert_void(tag),
            Tag::Title => self.insert_text_element(tag, TextKind::Rcdata),
            Tag::Noscript | Tag::Noframes | Tag::Style => self.insert_text_element(tag, TextKind::RawText),
            Tag::Script => self.insert_text_element(tag, TextKind::Script),
            Tag::Template => {
                self.insert_own(tag);
                self.active.push(Entry::Marker);
                self.frameset_ok = false;
                self.mode = Mode::InTemplate;
                self.template_modes.push(Mode::InTemplate);
                Next::Done
            }
            _ => self.close_head(),
        }
    }

    pub(super) fn close_head(&mut self) -> Next {
        self.pop();
        self.mode = Mode::AfterHead;
        Next::Again
    }

    pub(super) fn in_head_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Head => {
                self.close_head();
                Next::Done
            }
            Tag::Body | Tag::Html | Tag::Br => self.close_head(),
            Tag::Template => self.close_template(),
            _ => self.ignore(),
        }
    }

    pub(super) fn after_head_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Html | Tag::Head => self.ignore(),
            Tag::Body => {
                self.insert_own(tag);
                self.frameset_ok = false;
                self.mode = Mode::InBody;
                Next::Done
            }
            Tag::Frameset => {
                self.lost = Some(Lost::Frameset);
                Next::Done
            }
            Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title => {
                if let Some(mut head) = self.head.take() {
                    head.reopened = true;
                    self.stack.push(head);
                }
                self.in_head_start(tag)
            }
            _ => self.imply(Tag::Body, Mode::InBody),
        }
    }

    pub(super) fn after_head_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Template => self.close_template(),
            Tag::Body | Tag::Html | Tag::Br => self.imply(Tag::Body, Mode::InBody),
            _ => self.ignore(),
        }
    }

    pub(super) fn in_template_start(&mut self, tag: &StartTag<'_>) -> Next {
        let mode = match tag.name.tag {
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
            Tag::Caption | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => Mode::InTable,
            Tag::Col => Mode::InColumnGroup,
            Tag::Tr => Mode::InTableBody,
            Tag::Td | Tag::Th => Mode::InRow,
            _ => Mode::InBody,
        };
        self.template_modes.pop();
        self.template_modes.push(mode);
        self.mode = mode;
        Next::Again
    }

    pub(super) fn in_template_end(&mut self, name: &Name) -> Next {
        if name.tag == Tag::Template { self.close_template() } else { self.ignore() }
    }
}
