require "fileinto";
redirect "Name <a@example.com>";
fileinto "INBOX";
keep;
fileinto "Two";
redirect "a@EXAMPLE.COM";
fileinto "Two";
