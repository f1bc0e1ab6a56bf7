//! The insertion modes of tables (WHATWG HTML § 13.2.6.4.9 to 13.2.6.4.15).

use super::stack::Scope;
use super::{Entry, Mode, Name, Namespace, Next, Origin, StartTag, Tag, Tree};

const fn is_table(tag: Tag) -> bool {
    matches!(tag, Tag::Table)
}

const fn is_section(tag: Tag) -> bool {
    matches!(tag, Tag::Tbody | Tag::Tfoot | Tag::Thead)
}

const fn is_row(tag: Tag) -> bool {
    matches!(tag, Tag::Tr)
}

const fn is_cell(tag: Tag) -> bool {
    matches!(tag, Tag::Td | Tag::Th)
}

impl Tree {
    pub(super) fn table_text(&mut self, space: bool, null: bool) -> Next {
        if self.current_is_any(Tag::fosters) && (space || null) {
            return Next::Done;
        }
        self.foster(|tree| tree.body_text(space, null))
    }

    /// "Process the token using the rules for in body, with foster parenting enabled".
    fn foster(&mut self, rules: impl FnOnce(&mut Self) -> Next) -> Next {
        self.fostering = true;
        if self.current_is_any(Tag::fosters) {
            let table = self.stack.iter().rposition(|node| node.is_html(is_table));
            self.stray_from(table.unwrap_or_default());
        }
        let next = rules(self);
        self.fostering = false;
        next
    }

    fn open_in_table(&mut self, tag: &StartTag<'_>, mode: Mode) -> Next {
        self.clear_back_to(is_table);
        self.insert_own(tag);
        self.mode = mode;
        Next::Done
    }

    fn imply_in_table(&mut self, tag: Tag, mode: Mode) -> Next {
        self.clear_back_to(is_table);
        self.insert(Name::from(tag), Namespace::Html, Origin::Implied);
        self.mode = mode;
        Next::Again
    }

    pub(super) fn in_table_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Caption => {
                self.open_in_table(tag, Mode::InCaption);
                self.active.push(Entry::Marker);
                Next::Done
            }
            Tag::Colgroup => self.open_in_table(tag, Mode::InColumnGroup),
            Tag::Col => self.imply_in_table(Tag::Colgroup, Mode::InColumnGroup),
            Tag::Tbody | Tag::Tfoot | Tag::Thead => self.open_in_table(tag, Mode::InTableBody),
            Tag::Td | Tag::Th | Tag::Tr => self.imply_in_table(Tag::Tbody, Mode::InTableBody),
            Tag::Table => {
                if !self.has_in_scope(Scope::Table, Tag::Table) {
                    return self.ignore();
                }
                self.pop_until_tag(Tag::Table);
                self.reset_mode();
                Next::Again
            }
            Tag::Style | Tag::Script | Tag::Template => self.in_head_start(tag),
            Tag::Input if tag.has_value("type", &["hidden"]) => self.insert_void(tag),
            Tag::Form => {
                if self.has_template() || self.form.is_some() {
                    return self.ignore();
                }
                self.insert_void(tag);
                self.form = self.step.own;
                Next::Done
            }
            _ => self.foster(|tree| tree.in_body_start(tag)),
        }
    }

    pub(super) fn in_table_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Table => {
                if !self.has_in_scope(Scope::Table, Tag::Table) {
                    return self.ignore();
                }
                self.pop_until_tag(Tag::Table);
                self.reset_mode();
                Next::Done
            }
            Tag::Body
            | Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Html
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => self.ignore(),
            Tag::Template => self.close_template(),
            _ => self.foster(|tree| tree.in_body_end(name)),
        }
    }

    pub(super) fn in_caption_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => self.close_caption(),
            _ => self.in_body_start(tag),
        }
    }

    pub(super) fn in_caption_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Caption => {
                self.close_caption();
                Next::Done
            }
            Tag::Table => self.close_caption(),
            Tag::Body
            | Tag::Col
            | Tag::Colgroup
            | Tag::Html
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => self.ignore(),
            _ => self.in_body_end(name),
        }
    }

    fn close_caption(&mut self) -> Next {
        if !self.has_in_scope(Scope::Table, Tag::Caption) {
            return self.ignore();
        }
        self.generate_implied_ends(None);
        self.pop_until_tag(Tag::Caption);
        self.clear_to_marker();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn in_column_group_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Html => self.ignore(),
            Tag::Col => self.insert_void(tag),
            Tag::Template => self.in_head_start(tag),
            _ => self.leave_column_group(),
        }
    }

    pub(super) fn in_column_group_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Colgroup => {
                if self.current_is(Tag::Colgroup) {
                    self.leave_column_group();
                    Next::Done
                } else {
                    self.ignore()
                }
            }
            Tag::Col => self.ignore(),
            Tag::Template => self.close_template(),
            _ => self.leave_column_group(),
        }
    }

    pub(super) fn leave_column_group(&mut self) -> Next {
        if !self.current_is(Tag::Colgroup) {
            return self.ignore();
        }
        self.pop();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn in_table_body_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Tr => {
                self.clear_back_to(is_section);
                self.insert_own(tag);
                self.mode = Mode::InRow;
                Next::Done
            }
            Tag::Th | Tag::Td => {
                self.clear_back_to(is_section);
                self.insert(Name::from(Tag::Tr), Namespace::Html, Origin::Implied);
                self.mode = Mode::InRow;
                Next::Again
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                self.close_section()
            }
            _ => self.in_table_start(tag),
        }
    }

    pub(super) fn in_table_body_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if !self.has_in_scope(Scope::Table, name.tag) {
                    return self.ignore();
                }
                self.close_section();
                Next::Done
            }
            Tag::Table => self.close_section(),
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html | Tag::Td | Tag::Th | Tag::Tr => {
                self.ignore()
            }
            _ => self.in_table_end(name),
        }
    }

    fn close_section(&mut self) -> Next {
        if !self.in_scope(Scope::Table, |node| node.is_html(is_section)) {
            return self.ignore();
        }
        self.clear_back_to(is_section);
        self.pop();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn in_row_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Th | Tag::Td => {
                self.clear_back_to(is_row);
                self.insert_own(tag);
                self.active.push(Entry::Marker);
                self.mode = Mode::InCell;
                Next::Done
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                self.close_row()
            }
            _ => self.in_table_start(tag),
        }
    }

    pub(super) fn in_row_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Tr => {
                self.close_row();
                Next::Done
            }
            Tag::Table => self.close_row(),
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if !self.has_in_scope(Scope::Table, name.tag) {
                    return self.ignore();
                }
                self.close_row()
            }
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html | Tag::Td | Tag::Th => {
                self.ignore()
            }
            _ => self.in_table_end(name),
        }
    }

    fn close_row(&mut self) -> Next {
        if !self.has_in_scope(Scope::Table, Tag::Tr) {
            return self.ignore();
        }
        self.clear_back_to(is_row);
        self.pop();
        self.mode = Mode::InTableBody;
        Next::Again
    }

    pub(super) fn in_cell_start(&mut self, tag: &StartTag<'_>) -> Next {
        match tag.name.tag {
            Tag::Caption
            | Tag::Col
            | Tag::Colgroup
            | Tag::Tbody
            | Tag::Td
            | Tag::Tfoot
            | Tag::Th
            | Tag::Thead
            | Tag::Tr => {
                if !self.in_scope(Scope::Table, |node| node.is_html(is_cell)) {
                    return self.ignore();
                }
                self.close_cell()
            }
            _ => self.in_body_start(tag),
        }
    }

    pub(super) fn in_cell_end(&mut self, name: &Name) -> Next {
        match name.tag {
            Tag::Td | Tag::Th => {
                if !self.has_in_scope(Scope::Table, name.tag) {
                    return self.ignore();
                }
                self.generate_implied_ends(None);
                self.pop_until_tag(name.tag);
                self.clear_to_marker();
                self.mode = Mode::InRow;
                Next::Done
            }
            Tag::Body | Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Html => self.ignore(),
            Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                if !self.has_in_scope(Scope::Table, name.tag) {
                    return self.ignore();
                }
                self.close_cell()
            }
            _ => self.in_body_end(name),
        }
    }

    fn close_cell(&mut self) -> Next {
        self.generate_implied_ends(None);
        self.pop_until(|node| node.is_html(is_cell));
        self.clear_to_marker();
        self.mode = Mode::InRow;
        Next::Again
    }
}
