@node "%~dp0ovs-vswitchd" %*
