require ["fileinto", "envelope"];
fileinto "A";
stop;
discard;
