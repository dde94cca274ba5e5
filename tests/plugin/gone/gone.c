int ocelotGone(void);
int ocelotGone(void) { return 1; }
