@node "%~dp0ovs-vsctl" %*
