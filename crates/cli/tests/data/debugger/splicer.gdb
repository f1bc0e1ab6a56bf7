# Two stops in the splicer while a page passes through: where an edit is noted, and where it is written out.
set pagination off
set confirm off
set width 0
set print frame-arguments none
# What starts programs in some containers may not switch it off, and gdb would complain.
set disable-randomization off
# The test ends a server by it.
handle SIGTERM nostop noprint pass

# Edits without bytes carry owners only.
break engraft::html::splice::Splicer::edit if edit.with.len > 0
run

echo \n== noted\n
backtrace
echo \n== edit\n
print edit.range
bytes edit.with
print edit.owner
print *self
delete

break engraft::html::splice::Window::copy
continue
up

echo \n== written\n
info locals
bytes edit.with
bytes chunk
delete

python print("\n== process %d" % gdb.selected_inferior().pid)
echo \n== page\n
continue
