# What is installed beside programs and plugins, and the package that `cpack` makes of it.

set(guide ${CMAKE_INSTALL_DATADIR}/doc/ocelot)
install(DIRECTORY etc/guide DESTINATION ${guide} FILES_MATCHING PATTERN *.md)
install(FILES LICENSE DESTINATION ${guide} RENAME copyright)
# A first configuration; tmpfiles.d or the package's postinst copies it to /etc/ocelot.
install(FILES etc/server.yaml DESTINATION ${CMAKE_INSTALL_DATADIR}/ocelot)
install(FILES etc/postgres/roles.sql DESTINATION ${CMAKE_INSTALL_DATADIR}/ocelot/postgres)
install(FILES host/pipeline/ocelot.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/ocelot)
install(DIRECTORY etc/systemd/ DESTINATION lib/systemd/system)
install(DIRECTORY etc/sysusers.d etc/tmpfiles.d DESTINATION lib)
install(FILES etc/completions/ocelot.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME ocelot)
install(FILES etc/completions/_ocelot DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES etc/completions/ocelot.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ocelot)
set(CPACK_PACKAGE_VENDOR "Ocelot")
set(CPACK_PACKAGE_CONTACT "The Ocelot authors <ocelot@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "continuous integration that you run yourself")
set(CPACK_PACKAGE_DESCRIPTION
  "Reads the ocelot.yml of a commit, runs its stages in a clean container, and
shows the log while it grows. Everything on one machine is `ocelot up`; on
several it is four daemons and PostgreSQL.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/package)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "git (>= 1:2.38)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "crun | runc, skopeo, containernetworking-plugins, iptables, openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, docker.io")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${CMAKE_SOURCE_DIR}/etc/debian/postinst;${CMAKE_SOURCE_DIR}/etc/debian/prerm;${CMAKE_SOURCE_DIR}/etc/debian/postrm")
include(CPack)
