@node "%~dp0ovs-service" %*
