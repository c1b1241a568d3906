# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration of a bus that anybody may do anything on, unless a rule says otherwise."""

OPEN_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={folder}/bus</listen>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    {rule}
  </policy>
</busconfig>
"""
