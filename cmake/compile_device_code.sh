#!/bin/sh
# compile_device_code.sh OBJECT COMMAND...: compiles and keeps what the assembler says of registers, stack and spills in
# OBJECT.ptxas (tests/device/code_test.py reads it). Its lines do not go to the terminal unless the compilation fails.
object=$1
shift
"$@" 2>"$object.ptxas"
code=$?
if [ "$code" != 0 ]; then
  cat "$object.ptxas" >&2
else
  grep -v '^ptxas info\|^    [0-9]* bytes stack frame' "$object.ptxas" >&2
fi
exit "$code"
