@node "%~dp0ovs-datapath-svc" %*
