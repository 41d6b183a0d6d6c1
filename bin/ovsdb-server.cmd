@node "%~dp0ovsdb-server" %*
