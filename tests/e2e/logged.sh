#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# logged COMMAND...: runs it and keeps what it prints, for a search for secrets at the end
"$@" > /tmp/out 2>&1
status=$?
cat /tmp/out >> /tmp/printed
cat /tmp/out
exit $status
