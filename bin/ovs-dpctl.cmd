@node "%~dp0ovs-dpctl" %*
