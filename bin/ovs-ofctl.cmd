@node "%~dp0ovs-ofctl" %*
