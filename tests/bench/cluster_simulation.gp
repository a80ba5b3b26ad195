# gnuplot -e "data='curve.dat'; picture='curve.png'" tests/bench/cluster_simulation.gp
set terminal pngcairo size 900,560 font "sans,11"
set output picture
set title "720 initial times x 24 members in batches of 4: efficiency of all ranks (simulated)"
set xlabel "ranks"
set ylabel "computing that counted, of all ranks' time [%]"
set yrange [0:100]
set grid
set key bottom left
plot data using 1:2 with linespoints title "one rank per initial time", \
     "" using 1:3 with linespoints title "ranks\\_per\\_init: auto", \
     "" using 1:4 with linespoints title "auto, ten jobs share the folder"
