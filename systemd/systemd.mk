# Unit, user, directories.

EXTRA_DIST += systemd/viewd.service.in systemd/viewd.sysusers systemd/viewd.tmpfiles.in
CLEANFILES += systemd/viewd.service systemd/viewd.tmpfiles

systemd/viewd.service systemd/viewd.tmpfiles: Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' '$(srcdir)/$@.in' >$@.tmp && mv $@.tmp $@
systemd/viewd.service: systemd/viewd.service.in
systemd/viewd.tmpfiles: systemd/viewd.tmpfiles.in

if INSTALL_SYSTEMD
nodist_systemdsystemunit_DATA = systemd/viewd.service

# Renamed on the way: the folders are shared with other packages.
install-data-local: systemd/viewd.tmpfiles
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	$(INSTALL_DATA) '$(srcdir)/systemd/viewd.sysusers' '$(DESTDIR)$(sysusersdir)/viewd.conf'
	$(INSTALL_DATA) systemd/viewd.tmpfiles '$(DESTDIR)$(tmpfilesdir)/viewd.conf'
uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/viewd.conf' '$(DESTDIR)$(tmpfilesdir)/viewd.conf'
endif
