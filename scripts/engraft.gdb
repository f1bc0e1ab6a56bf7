# For gdb with Rust's pretty printers: rust-gdb -x scripts/engraft.gdb --args target/debug/engraft …
# `bytes EXPRESSION` shows a vector or a slice of bytes as text, which rust-gdb shows as numbers.

python
class Bytes(gdb.Command):
    """Show a vector or a slice of bytes as text: bytes EXPRESSION"""

    def __init__(self):
        super().__init__("bytes", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, expression, from_tty):
        printer = gdb.default_visualizer(gdb.parse_and_eval(expression))
        if printer is None or not hasattr(printer, "children"):
            raise gdb.GdbError("this gdb does not know how vectors are laid out; start it as rust-gdb")
        shown = bytes(int(value) for _, value in printer.children())
        print(repr(shown.decode("utf-8", "backslashreplace")))

Bytes()
end
