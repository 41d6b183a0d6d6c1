@node "%~dp0ovs-appctl" %*
