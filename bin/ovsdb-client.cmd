@node "%~dp0ovsdb-client" %*
